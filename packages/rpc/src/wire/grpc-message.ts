/**
 * A `grpc-message` as it stands on the wire: UTF-8 with everything percent-encoded that is not printable ASCII,
 * and `%` itself. Source: gRPC over HTTP/2, Status-Message.
 */
export function encodeMessage(text: string): string {
  if (!/[^\x20-\x7e]|%/.test(text)) return text;
  let encoded = "";
  for (const byte of Buffer.from(text, "utf8")) {
    const isPlain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    encoded += isPlain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return encoded;
}

/**
 * The text of a percent-encoded `grpc-message`. What is not well encoded is kept as it is, and bytes that are
 * not UTF-8 become U+FFFD: a message is never lost for its encoding.
 */
export function decodeMessage(text: string): string {
  if (!text.includes("%")) return text;
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (encoded) =>
    Buffer.from(encoded.replaceAll("%", ""), "hex").toString("utf8"),
  );
}
