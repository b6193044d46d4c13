import { SocketIoError } from "../../error.ts";

/** Base64 of bytes, with padding (RFC 4648 section 4). */
export function encodeBase64(data: Uint8Array): string {
  return Buffer.from(data.buffer, data.byteOffset, data.length).toString("base64");
}

/** The bytes of a base64 text, padded or not. Throws `packet_invalid` where it is none. */
export function decodeBase64(text: string): Buffer {
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const digits = text.length - padding;
  const data = Buffer.from(text, "base64");
  // Node skips what is no digit and stops at the first padding, so what is wrong shows in the length.
  if (digits % 4 === 1 || data.length !== Math.floor((digits * 3) / 4)) {
    throw new SocketIoError("packet_invalid", "binary data in a text must be base64");
  }
  return data;
}
