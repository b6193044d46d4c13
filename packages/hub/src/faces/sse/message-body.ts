import type { HttpRefusal } from "./http-message.ts";

/** What a client says by POST. */
export interface PostedMessage {
  readonly data: string | Uint8Array;
  readonly isJson: boolean;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The kinds of bodies that are taken, by their media type. */
const readers: ReadonlyMap<string, (body: Buffer) => PostedMessage | HttpRefusal> = new Map([
  ["text/plain", (body) => textFrom(body)],
  ["application/json", jsonFrom],
  ["application/octet-stream", (body) => ({ data: body, isJson: false })],
]);

/** Whether bodies of a content type are taken. */
export function takesContentType(contentType: string | undefined): boolean {
  return readers.has(mediaTypeOf(contentType));
}

/** What a body says; or why it says nothing. */
export function messageFromBody(contentType: string | undefined, body: Buffer): PostedMessage | HttpRefusal {
  const read = readers.get(mediaTypeOf(contentType));
  return read === undefined ? unsupportedType : read(body);
}

/** The refusal of a body of another content type. */
export const unsupportedType: HttpRefusal = {
  status: 415,
  code: "INVALID_ARGUMENT",
  message: `the content type of a message must be one of ${[...readers.keys()].join(", ")}`,
};

function mediaTypeOf(contentType = ""): string {
  return contentType.split(";", 1)[0]!.trim().toLowerCase();
}

function textFrom(body: Buffer): PostedMessage | HttpRefusal {
  try {
    return { data: decoder.decode(body), isJson: false };
  } catch {
    return { status: 400, code: "INVALID_ARGUMENT", message: "a text must be UTF-8" };
  }
}

function jsonFrom(body: Buffer): PostedMessage | HttpRefusal {
  const text = textFrom(body);
  if ("status" in text) return text;
  try {
    JSON.parse(String(text.data));
  } catch {
    return { status: 400, code: "INVALID_ARGUMENT", message: "the body is not JSON" };
  }
  return { data: text.data, isJson: true };
}
