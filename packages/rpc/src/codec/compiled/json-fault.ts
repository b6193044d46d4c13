import type { JsonValue } from "../message-codec.ts";

/** Why a JSON value does not fit; the path to it is put together while the fault passes through the messages. */
export class JsonFault extends Error {
  path = "";
}

/** Adds the field, and the index or map key in it, through which a fault came. Returns what to throw. */
export function locateFault(error: unknown, name: string | undefined, index: number | string): unknown {
  if (!(error instanceof JsonFault) || name === undefined) return error;
  const within = index === -1 ? "" : `[${typeof index === "number" ? index : JSON.stringify(index)}]`;
  const dot = error.path === "" || error.path.startsWith("[") || name + within === "" ? "" : ".";
  error.path = name + within + dot + error.path;
  return error;
}

/** The fault of a value that is not what the field wants. */
export function unexpected(value: JsonValue, wanted: string): JsonFault {
  return new JsonFault(`expected ${wanted}, got ${shown(value)}`);
}

function shown(value: JsonValue): string {
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object" && value !== null) return "an object";
  const text = JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
