import { parse } from "node:querystring";

/** A payload as the script that a JSONP poll is answered with; `index` is the query's `j`, of which only digits count. */
export function encodeJsonp(index: string, payload: string): string {
  return `___eio[${index.replaceAll(/\D/g, "")}](${javascriptFromString(payload)});`;
}

/**
 * The payload of a JSONP POST, which is a form with the field `d`; undefined where there is none. The client escapes
 * newlines, because forms send them as CR LF: `\n` is one, `\\n` was a backslash and an `n`.
 */
export function decodeJsonp(body: string): string | undefined {
  const { d: field } = parse(body, "&", "=", { maxKeys: 1 });
  if (typeof field !== "string") return undefined;
  return field.replaceAll(/(\\)?\\n/g, (found, slash: string | undefined) =>
    slash === undefined ? "\n" : found.slice(1),
  );
}

/** JSON but for the two line ends that older JavaScript does not allow in a string. */
function javascriptFromString(text: string): string {
  return JSON.stringify(text)
    .replaceAll("\u2028", String.raw`\u2028`)
    .replaceAll("\u2029", String.raw`\u2029`);
}
