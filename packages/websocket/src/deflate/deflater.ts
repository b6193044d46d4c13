import * as zlib from "node:zlib";
import type { AgreedCompression } from "./negotiation.ts";
import { ZlibCodec } from "./zlib-codec.ts";

/** Messages of up to this many bytes are compressed at once, which is faster than the way to a thread and back. */
const SYNC_BYTES = 16 * 1024;
/** What a flush ends with and RFC 7692 section 7.2.1 leaves away: 00 00 ff ff. */
const TAIL_BYTES = 4;

const shared = new Map<string, ZlibCodec>();

function createCodec({ windowBits, level, memoryLevel }: AgreedCompression): ZlibCodec {
  return new ZlibCodec(zlib.createDeflateRaw({ windowBits, level, memLevel: memoryLevel }));
}

/** A state for messages without context, one for all connections of the same parameters. */
function sharedCodec(agreed: AgreedCompression): ZlibCodec {
  const key = keyOf(agreed);
  let codec = shared.get(key);
  if (codec === undefined) {
    codec = createCodec(agreed);
    shared.set(key, codec);
  }
  return codec;
}

/** What has the same key is compressed to the same bytes, where there is no context. */
export function keyOf({ windowBits, level, memoryLevel }: AgreedCompression): string {
  return `${windowBits} ${level} ${memoryLevel}`;
}

/** Compresses one message without context, at once, whatever its size. Undefined where Node does not let us. */
export function deflateAlone(data: Uint8Array, agreed: AgreedCompression): Buffer | undefined {
  const codec = sharedCodec(agreed);
  return codec.synchronous ? compress(codec, data, true) : undefined;
}

/** Compresses the messages of one connection, in order (RFC 7692 section 7.2.1). */
export class Deflater {
  readonly #agreed: AgreedCompression;
  /** With context takeover, this connection's own. Made when it is first needed. */
  #own: ZlibCodec | undefined;

  constructor(agreed: AgreedCompression) {
    this.#agreed = agreed;
  }

  /**
   * Compresses a small message at once; undefined for a large one, and where Node does not let us. The result is
   * valid until something else is compressed.
   */
  deflateSync(data: Uint8Array): Buffer | undefined {
    if (data.length > SYNC_BYTES) return undefined;
    const { contextTakeover } = this.#agreed;
    const codec = contextTakeover ? this.#codec() : sharedCodec(this.#agreed);
    return codec.synchronous ? compress(codec, data, !contextTakeover) : undefined;
  }

  /** Compresses a message on a thread. Until `done`, nothing else may be compressed; without a result it failed. */
  deflate(data: Uint8Array, done: (compressed: Buffer | undefined) => void): void {
    const { contextTakeover, pool } = this.#agreed;
    pool.enter(() => {
      const codec = contextTakeover ? this.#codec() : createCodec(this.#agreed);
      const parts: Buffer[] = [];
      codec.write(
        [data],
        (part) => parts.push(part) > 0,
        (ok) => {
          pool.done();
          if (!contextTakeover) codec.close();
          const all = Buffer.concat(parts);
          done(ok ? all.subarray(0, all.length - TAIL_BYTES) : undefined);
        },
      );
    });
  }

  /** The next message refers to none before. */
  reset(): void {
    this.#own?.reset();
  }

  /** Frees the memory. */
  close(): void {
    this.#own?.close();
  }

  #codec(): ZlibCodec {
    this.#own ??= createCodec(this.#agreed);
    return this.#own;
  }
}

function compress(codec: ZlibCodec, data: Uint8Array, alone: boolean): Buffer {
  let only: Buffer | undefined;
  let parts: Buffer[] | undefined;
  codec.writeSync(data, (part) => {
    if (only === undefined && data.length <= SYNC_BYTES) {
      only = part;
    } else {
      parts ??= [];
      parts.push(Buffer.from(part));
    }
    return true;
  });
  if (alone) codec.reset();
  const all = parts === undefined ? only! : Buffer.concat(parts);
  return all.subarray(0, all.length - TAIL_BYTES);
}
