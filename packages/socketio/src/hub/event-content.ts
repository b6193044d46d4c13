import type { MessageInit } from "@sluice/hub";
import { bytesOf, hasBinary, isBinary } from "../parser/binary.ts";
import { reservedEvents } from "../parser/packet.ts";

/** How the names begin that are the face's own, such as `sluice.dropped`. */
const ownNames = "sluice.";

/** The name of a message's event: its type, or `message` where it has none, or one that no application's event has. */
export function eventNameOf(type: string): string {
  return type === "" || reservedEvents.has(type) || type.startsWith(ownNames) ? "message" : type;
}

/**
 * What an event says: one text or bytes as they are, another single argument as JSON, and none or several as a list. Bytes
 * within JSON are texts in base64 (RFC 4648 section 4). Throws what JSON.stringify throws.
 */
export function messageFromEvent([name, ...args]: readonly unknown[]): MessageInit {
  const type = String(name);
  if (args.length !== 1) return { type, data: jsonFrom(args), isJson: true, isList: true };
  const [only] = args;
  if (typeof only === "string") return { type, data: only };
  if (typeof only === "object" && only !== null && isBinary(only)) return { type, data: bytesOf(only) };
  return { type, data: jsonFrom(only), isJson: true };
}

/** The arguments of the event that a message is. What is marked as JSON and is none is a text. */
export function argumentsOf({ data, isJson = false, isList = false }: MessageInit): unknown[] {
  if (typeof data !== "string" || (!isJson && !isList)) return [data];
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    return [data];
  }
  return isList && Array.isArray(value) ? value : [value];
}

/** Whether there are bytes in another place than as the only argument, where a message has texts in their place. */
export function hidesBytes(args: readonly unknown[]): boolean {
  const [only] = args;
  if (args.length === 1 && typeof only === "object" && only !== null && isBinary(only)) return false;
  return hasBinary(args);
}

function jsonFrom(value: unknown): string {
  // A function that looks at each value makes this several times as slow.
  return JSON.stringify(value, hasBinary(value) ? textOfBytes : undefined) ?? "null";
}

/** Called with what holds the value, which is there as it was before its `toJSON`. */
function textOfBytes(this: Readonly<Record<string, unknown>>, key: string, value: unknown): unknown {
  const original = this[key];
  if (typeof original !== "object" || original === null || !isBinary(original)) return value;
  const { buffer, byteOffset, byteLength } = bytesOf(original);
  return Buffer.from(buffer, byteOffset, byteLength).toString("base64");
}
