import { type OnReadOpts, Socket, type SocketConstructorOpts } from "node:net";
import { readMemory } from "./mask-simd.ts";

/** What a socket calls with each read; false stops the reading. */
export type ReadCallback = (this: Socket, length: number, memory: Buffer) => boolean;

/** Where Node keeps what its option `onread` gave it. */
interface ReadKeys {
  readonly memory: symbol;
  readonly callback: symbol;
}

/** Node's own fields of a socket, as far as they are there. */
interface ReadFields {
  [key: symbol]: unknown;
  readonly _handle?: { readonly useUserBuffer?: unknown } | null;
}

/**
 * One memory for the reads of all sockets: each is handled before the next one begins. It is never another one: Node
 * forgets to read into what the option's function gave it, but not to show that, where anything throws behind the
 * callback, at the end of its tick, and the process goes on.
 */
const shared = readMemory;

const keys = findKeys();

/** Whether bytes lie where the next read will be. */
export function isLent(bytes: Uint8Array): boolean {
  return bytes.buffer === shared.buffer;
}

/** Makes a callback for {@link shareReads}. `take` gets what was read, of which nothing may be kept after it returns. */
export function createReadCallback(take: (socket: Socket, bytes: Buffer) => boolean): ReadCallback {
  return function onRead(length, memory) {
    return take(this, memory.subarray(0, length));
  };
}

/**
 * Gives an open socket the option `onread` of `net.Socket`, which Node takes only for a socket that is to connect.
 * Without it each read costs 64 KiB of fresh memory, most of what a small message costs outside the kernel. Answers
 * false, and changes nothing, where this Node or this socket does not have what it needs.
 */
export function shareReads(socket: Socket, callback: ReadCallback): boolean {
  const fields = socket as unknown as ReadFields;
  // oxlint-disable-next-line no-underscore-dangle -- Node's name
  const handle = fields._handle;
  if (keys === undefined || typeof handle?.useUserBuffer !== "function") return false;
  if (fields[keys.memory] !== null || fields[keys.callback] !== null) return false;
  fields[keys.memory] = shared;
  fields[keys.callback] = callback;
  handle.useUserBuffer(shared);
  return true;
}

function noCallback(): boolean {
  return true;
}

/** Finds the fields by what the option puts there, so that nothing depends on their names. */
function findKeys(): ReadKeys | undefined {
  const memory = keyOf({ buffer: shared, callback: noCallback }, shared);
  const callback = keyOf({ buffer: shared, callback: noCallback }, noCallback);
  if (memory === undefined || callback === undefined) return undefined;
  return { memory, callback };
}

function keyOf(onread: OnReadOpts, value: unknown): symbol | undefined {
  const options: SocketConstructorOpts & { readonly onread: OnReadOpts } = { onread };
  const probe = new Socket(options);
  return Object.getOwnPropertySymbols(probe).find((key) => (probe as unknown as ReadFields)[key] === value);
}
