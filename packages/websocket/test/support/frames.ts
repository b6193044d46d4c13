import { defaultCompression } from "../../src/deflate/negotiation.ts";
import type { WebSocketError } from "../../src/error.ts";
import { FrameParser, type FrameParserOptions } from "../../src/frame-parser.ts";
import { defaultLimits } from "../../src/limits.ts";
import { MessageReceiver, type MessageTarget } from "../../src/message-receiver.ts";

/** Bytes written as hex with free spaces, strings in quotes as their UTF-8, and `*n` after a part to repeat it. */
export function bytes(text: string): Buffer {
  const parts = text.match(/"[^"]*"(?:\*\d+)?|[0-9a-f]{2}(?:\*\d+)?/gi) ?? [];
  return Buffer.concat(
    parts.map((part) => {
      const [, value = "", count = "1"] = /^("[^"]*"|..)(?:\*(\d+))?$/.exec(part) ?? [];
      const once = value.startsWith('"') ? Buffer.from(value.slice(1, -1)) : Buffer.from(value, "hex");
      return Buffer.concat(Array.from({ length: Number(count) }, () => once));
    }),
  );
}

/** One frame, masked where a mask of 4 bytes is given. Nothing is checked, so that wrong ones can be made too. */
export function frame(first: number, payload: Uint8Array | string, mask?: Uint8Array): Buffer {
  const data = Buffer.from(payload);
  const flag = mask === undefined ? 0 : 0x80;
  let header: Buffer;
  if (data.length < 126) header = Buffer.from([first, flag | data.length]);
  else if (data.length < 65_536) {
    header = Buffer.from([first, flag | 126, data.length >> 8, data.length & 0xff]);
  } else {
    header = Buffer.alloc(10);
    header[0] = first;
    header[1] = flag | 127;
    header.writeBigUInt64BE(BigInt(data.length), 2);
  }
  if (mask === undefined) return Buffer.concat([header, data]);
  for (let index = 0; index < data.length; index++) data[index]! ^= mask[index & 3]!;
  return Buffer.concat([header, mask, data]);
}

/** What came out of a parser, as text that is easy to compare. */
export function readFrames(
  chunks: Iterable<Buffer>,
  options: Partial<FrameParserOptions> & { readonly copy?: boolean } = {},
): string[] {
  const found: string[] = [];
  const limits = options.limits ?? defaultLimits;
  const target = {
    deliver: (data: Buffer, isBinary: boolean) => found.push(`${isBinary ? "binary" : "text"} ${show(data)}`),
    control: (opcode: number, payload: Buffer) => found.push(`control ${opcode} ${show(payload)}`),
    failed: (error: WebSocketError) => {
      found.push(`failed ${error.closeCode}`);
      parser.stop();
    },
    takesStreams: false,
    deliverStream: () => {},
    suspend: () => {},
    proceed: (rest: () => void) => rest(),
  } satisfies MessageTarget;
  const receiver = new MessageReceiver(
    target,
    options.compression === true ? { ...defaultCompression, peerWindowBits: 15 } : undefined,
    limits.maxMessageBytes,
  );
  const parser = new FrameParser(receiver, {
    masked: false,
    compression: false,
    limits: defaultLimits,
    ...options,
  });
  for (const chunk of chunks) parser.push(Buffer.from(chunk));
  return found;
}

/** Bytes as hex, long ones as their length and beginning. */
export function show(data: Buffer): string {
  const hex = data.toString("hex");
  return data.length <= 64 ? hex : `${data.length} bytes ${hex.slice(0, 32)}`;
}
