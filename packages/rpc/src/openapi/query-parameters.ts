import type { DescField, DescMessage } from "@bufbuild/protobuf";
import type { Binding } from "../transcode/binding.ts";
import type { FieldPath } from "../transcode/field-path.ts";
import { takesText } from "../transcode/field-text.ts";

/** How deep into messages the query parameters are listed; deeper ones work, but nobody would read the list. */
const deepest = 4;

/** The fields that a query can fill: all that neither the path nor the body covers, messages by their fields. */
export function queryFieldsOf(binding: Binding): readonly FieldPath[] {
  if (binding.body === "whole") return [];
  const covered = new Set(binding.variables.map(keyOf));
  const found: FieldPath[] = [];
  const visit = (message: DescMessage, before: readonly DescField[]): void => {
    for (const field of message.fields) {
      const path: FieldPath = [...before, field] as unknown as FieldPath;
      if (before.length === 0 && field === binding.body) continue;
      if (covered.has(keyOf(path))) continue;
      if (takesText(field)) found.push(path);
      else if (field.fieldKind === "message" && path.length < deepest && !isInside(path, field.message)) {
        visit(field.message, path);
      }
    }
  };
  visit(binding.method.input, []);
  return found;
}

// A message that contains itself would have parameters without end.
function isInside(path: FieldPath, message: DescMessage): boolean {
  return path.some(({ parent }) => parent.typeName === message.typeName);
}

function keyOf(path: FieldPath): string {
  return path.map(({ number }) => number).join(".");
}
