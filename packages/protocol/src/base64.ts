const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** Bytes as base64 without padding (RFC 4648 section 4), as gRPC writes binary metadata. */
export function base64FromBytes(bytes: Uint8Array): string {
  let text = "";
  let bits = 0;
  let count = 0;
  for (const byte of bytes) {
    bits = ((bits << 8) | byte) & 0xffff;
    for (count += 8; count >= 6;) text += alphabet[(bits >> (count -= 6)) & 63];
  }
  return count > 0 ? text + alphabet[(bits << (6 - count)) & 63] : text;
}

/** The bytes of base64, padded or not; undefined where it is none. */
export function bytesFromBase64(text: string): Uint8Array | undefined {
  const plain = text.replace(/={1,2}$/, "");
  if (!/^[A-Za-z0-9+/]*$/.test(plain) || plain.length % 4 === 1) return undefined;
  const bytes = new Uint8Array((plain.length * 3) >> 2);
  let bits = 0;
  let count = 0;
  let at = 0;
  for (const digit of plain) {
    bits = ((bits << 6) | alphabet.indexOf(digit)) & 0xffff;
    count += 6;
    if (count >= 8) bytes[at++] = bits >> (count -= 8);
  }
  return bytes;
}
