import type { Readable, Writable } from "node:stream";

/** Reads messages, each of which has four bytes of length before it, until the stream ends. */
export async function* readMessages(stream: Readable): AsyncGenerator<Uint8Array> {
  let held = Buffer.alloc(0);
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    held = Buffer.concat([held, chunk]);
    while (held.length >= 4 && held.length >= 4 + held.readUInt32BE(0)) {
      const end = 4 + held.readUInt32BE(0);
      yield held.subarray(4, end);
      held = held.subarray(end);
    }
  }
}

/** Writes a message, with its length before it. */
export function writeMessage(stream: Writable, message: Uint8Array): void {
  const prefix = Buffer.alloc(4);
  prefix.writeUInt32BE(message.length);
  stream.write(Buffer.concat([prefix, message]));
}
