import { RpcError } from "../error.ts";

/**
 * Makes the decoder of one body of base64 text. The text may be cut anywhere into chunks, and be of several pieces with
 * padding each, because a sender encodes what it has whenever it sends. Throws an RpcError `protobuf_invalid`.
 * Source: gRPC-Web, text-encoded streams.
 */
export function createBase64Decoder(): (chunk: Buffer) => Uint8Array {
  let rest = "";
  return (chunk) => {
    const text = rest + chunk.toString("latin1");
    const whole = text.length - (text.length % 4);
    rest = text.slice(whole);
    const parts: Buffer[] = [];
    // Each piece but the last ends with its padding.
    for (const [piece] of text.slice(0, whole).matchAll(/[^=]+={0,2}|=/g)) {
      if (!/^[A-Za-z0-9+/]+={0,2}$/.test(piece) || piece.length % 4 !== 0) {
        throw new RpcError("protobuf_invalid", "the body of the request is not base64");
      }
      parts.push(Buffer.from(piece, "base64"));
    }
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
  };
}

/** The base64 text of some bytes, with padding. */
export function base64Text(chunks: readonly Uint8Array[]): Uint8Array {
  return Buffer.from(Buffer.concat(chunks).toString("base64"), "latin1");
}
