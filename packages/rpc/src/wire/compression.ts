import * as zlib from "node:zlib";
import { Code } from "@sluice/protocol";
import { createStatus, type Status } from "../call/status.ts";

interface Bounds {
  readonly maxOutputLength: number;
}

type InflateSync = (bytes: Uint8Array, options: Bounds) => Uint8Array;
type Inflate = (
  bytes: Uint8Array,
  options: Bounds,
  done: (error: Error | null, result: Uint8Array) => void,
) => void;

interface Encoding {
  readonly sync: InflateSync;
  readonly async: Inflate;
}

/** Node has zstd from 22.15 on. */
const { zstdDecompress, zstdDecompressSync } = zlib as {
  readonly zstdDecompress?: Inflate;
  readonly zstdDecompressSync?: InflateSync;
};

const encodings: ReadonlyMap<string, Encoding> = new Map([
  ["gzip", { sync: zlib.gunzipSync, async: zlib.gunzip }],
  ["deflate", { sync: zlib.inflateSync, async: zlib.inflate }],
  ["br", { sync: zlib.brotliDecompressSync, async: zlib.brotliDecompress }],
  ...(zstdDecompress === undefined || zstdDecompressSync === undefined
    ? []
    : ([["zstd", { sync: zstdDecompressSync, async: zstdDecompress }]] as const)),
]);

/** The encodings that the gateway can undo, as a header says it: `gzip,deflate,br`, and `zstd` where Node has it. */
export const supportedEncodings: string = [...encodings.keys()].join();

/** Whether the gateway can undo an encoding. */
export function isSupportedEncoding(encoding: string): boolean {
  return encodings.has(encoding);
}

/**
 * The encodings that a header lists (`gzip, br;q=0.5, identity`), in its order and without `identity`, which needs
 * no agreement. An encoding with a weight of 0 is refused and so not among them; other weights do not matter here.
 * Source: RFC 9110, section 12.5.3, and gRPC over HTTP/2, Message-Accept-Encoding.
 */
export function encodingsFromHeader(header: string | undefined): string[] {
  if (header === undefined) return [];
  const found: string[] = [];
  for (const each of header.split(",")) {
    const [name = "", ...parameters] = each
      .toLowerCase()
      .split(";")
      .map((part) => part.trim());
    if (!/^[a-z0-9_-]+$/.test(name) || name === "identity" || found.includes(name)) continue;
    if (!parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter))) found.push(name);
  }
  return found;
}

/** What a message has become, or why it cannot be read. */
export type Inflated =
  | { readonly kind: "message"; readonly bytes: Uint8Array }
  | { readonly kind: "failed"; readonly status: Status };

/** Up to this many compressed bytes are inflated at once: a trip to the thread pool costs more. */
const smallInput = 4 * 1024;

/** A message that turns out to be larger is given to the thread pool after all. */
const smallOutput = 128 * 1024;

/**
 * Inflates a message of a supported encoding to at most `maxBytes` bytes; a larger one is RESOURCE_EXHAUSTED and takes
 * no more memory than that, one that is broken INVALID_ARGUMENT. Small messages are answered at once, for large ones
 * the answer is undefined and `done` is called later.
 */
export function inflate(
  bytes: Uint8Array,
  encoding: string,
  maxBytes: number,
  done: (inflated: Inflated) => void,
): Inflated | undefined {
  const codec = encodings.get(encoding);
  if (codec === undefined) throw new Error(`nothing here can undo the encoding ${encoding}`);
  if (bytes.length <= smallInput) {
    const bound = Math.min(maxBytes, smallOutput);
    try {
      return { kind: "message", bytes: codec.sync(bytes, { maxOutputLength: Math.max(1, bound) }) };
    } catch (error) {
      if (!isTooLarge(error) || bound === maxBytes) return failed(error, encoding, maxBytes);
    }
  }
  codec.async(bytes, { maxOutputLength: Math.max(1, maxBytes) }, (error, result) => {
    done(error === null ? { kind: "message", bytes: result } : failed(error, encoding, maxBytes));
  });
  return undefined;
}

function isTooLarge(error: unknown): boolean {
  return error instanceof RangeError && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";
}

function failed(error: unknown, encoding: string, maxBytes: number): Inflated {
  if (isTooLarge(error)) {
    const what = `a compressed message of the request inflates to more than the maximum of ${maxBytes} bytes (--max-message)`;
    return { kind: "failed", status: createStatus(Code.RESOURCE_EXHAUSTED, what) };
  }
  const reason = error instanceof Error ? error.message : String(error);
  const what = `a compressed message of the request is not ${encoding}: ${reason}`;
  return { kind: "failed", status: createStatus(Code.INVALID_ARGUMENT, what) };
}
