// A protobuf message whose field 1 is a text, and nothing else, as `SayRequest` and `SayReply` are. Clients with more to say
// take the code that protoc generates.

const tag = 0x0a;

/** The bytes of such a message. */
export function encodeTextMessage(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  const length: number[] = [];
  for (let rest = bytes.length; ; rest >>>= 7) {
    if (rest < 0x80) {
      length.push(rest);
      break;
    }
    length.push((rest & 0x7f) | 0x80);
  }
  return Uint8Array.from([tag, ...length, ...bytes]);
}

/** The text of such a message; empty for one without a field. Throws a RangeError for any other message. */
export function decodeTextMessage(bytes: Uint8Array): string {
  if (bytes.length === 0) return "";
  let at = 1;
  let length = 0;
  for (let shift = 0; shift < 28; shift += 7) {
    const byte = bytes[at++] ?? 0;
    length += (byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  if (bytes[0] !== tag || at + length !== bytes.length) throw new RangeError("not a message with one text");
  return new TextDecoder().decode(bytes.subarray(at));
}
