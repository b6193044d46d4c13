import type { DescField, DescMessage } from "@bufbuild/protobuf";
import type { JsonObject } from "../codec/message-codec.ts";
import { RpcError } from "../error.ts";
import { assignMapEntry, assignText, resolveFieldPath, type FieldPath } from "./field-path.ts";
import { takesText } from "./field-text.ts";

/** What of a message the parameters may fill. */
export interface ParameterScope {
  readonly message: DescMessage;
  /** A field that the body covers. */
  readonly covered: DescField | undefined;
  /** Whether a parameter that fills no field is refused; otherwise it is ignored. */
  readonly strict: boolean;
}

/**
 * Puts the parameters of a query or a form into the JSON of a message: `name`, `name.inner`, a repeated name for
 * a repeated field, `name[key]` for an entry of a map. Throws RpcError `json_invalid`, naming the parameter.
 */
export function assignParameters(
  target: JsonObject,
  parameters: URLSearchParams,
  scope: ParameterScope,
): void {
  // One at a time, getAll would read all of a large form again for each name.
  const byName = new Map<string, string[]>();
  for (const [name, text] of parameters) {
    const texts = byName.get(name);
    if (texts === undefined) byName.set(name, [text]);
    else texts.push(text);
  }
  for (const [name, texts] of byName) {
    const entry = /^([^[\]]+)\[([^\]]*)\]$/.exec(name);
    const path = resolveFieldPath(scope.message, (entry?.[1] ?? name).split("."));
    if (path === undefined || path[0] === scope.covered || !fits(path, entry !== null)) {
      if (!scope.strict) continue;
      throw new RpcError("json_invalid", `parameter ${name} is no field that a URL can fill`);
    }
    if (entry === null) assignText(target, path, texts);
    else assignMapEntry(target, path, entry[2] ?? "", texts);
  }
}

function fits(path: FieldPath, isEntry: boolean): boolean {
  const field = path.at(-1) ?? path[0];
  if (field.fieldKind === "map") return isEntry && field.mapKind !== "message";
  return !isEntry && takesText(field);
}
