/** What an event stream needs to know of a message. */
interface Said {
  readonly data: string | Uint8Array;
  readonly type: string;
}

/**
 * An event without its `id`, with the empty line that ends it, as the HTML standard has it (section 9.2.6). Every line
 * of the data has a field of its own; a line may end in CR LF, LF or CR, and the client joins them with LF. Bytes are
 * `{"base64":…}`. A line break in the type is a space.
 */
export function encodeEvent({ data, type }: Said): string {
  const text = typeof data === "string" ? data : `{"base64":"${base64From(data)}"}`;
  const event = type === "" ? "" : `event: ${type.replace(/[\r\n]+/g, " ")}\n`;
  const lines = /[\r\n]/.test(text) ? text.replace(/\r\n|\r|\n/g, "\ndata: ") : text;
  return `${event}data: ${lines}\n\n`;
}

function base64From(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
}
