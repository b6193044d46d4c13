import { type OnReadOpts, Socket, type SocketConstructorOpts } from "node:net";
import { readMemory } from "./mask-simd.ts";

/** What a socket calls with each read; false stops the reading. */
export type ReadCallback = (this: Socket, length: number, memory: Buffer) => boolean;

/** Where Node keeps what its option `onread` gave it. */
interface ReadKeys {
  readonly memory: symbol;
  readonly callback: symbol;
  /** A function that gives the memory of the next read. */
  readonly next: symbol;
}

/** Node's own fields of a socket, as far as they are there. */
interface ReadFields {
  [key: symbol]: unknown;
  readonly _handle?: { readonly useUserBuffer?: unknown } | null;
}

/** One memory for the reads of all sockets: each is handled before the next one begins. */
const shared = readMemory;
const READ_BYTES = shared.length;
/** A read of more than this is one of many. */
const BULK_BYTES = READ_BYTES / 2;

let next: Buffer | undefined;

const keys = findKeys();

/** Makes a callback for {@link shareReads}. `take` gets what was read, of which nothing may be kept after it returns. */
export function createReadCallback(take: (socket: Socket, bytes: Buffer) => boolean): ReadCallback {
  return function onRead(length, memory) {
    next = length > BULK_BYTES ? Buffer.allocUnsafeSlow(READ_BYTES) : memory === shared ? undefined : shared;
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
  if (fields[keys.memory] !== null || fields[keys.callback] !== null || fields[keys.next] !== null)
    return false;
  fields[keys.memory] = shared;
  fields[keys.callback] = callback;
  fields[keys.next] = nextMemory;
  handle.useUserBuffer(shared);
  return true;
}

/**
 * A socket that sends much gets fresh memory for each read. With nothing but whole messages to allocate, malloc would
 * give their memory back to the system at each collection, and page faults cost more than these allocations.
 */
function nextMemory(): Buffer | undefined {
  return next;
}

function noCallback(): boolean {
  return true;
}

/** Finds the fields by what the option puts there, so that nothing depends on their names. */
function findKeys(): ReadKeys | undefined {
  const memory = keyOf({ buffer: shared, callback: noCallback }, shared);
  const callback = keyOf({ buffer: shared, callback: noCallback }, noCallback);
  // The types do not know that the buffer may be a function.
  const given: unknown = nextMemory;
  const nextKey = keyOf({ buffer: given as Buffer, callback: noCallback }, nextMemory);
  if (memory === undefined || callback === undefined || nextKey === undefined) return undefined;
  return { memory, callback, next: nextKey };
}

function keyOf(onread: OnReadOpts, value: unknown): symbol | undefined {
  const options: SocketConstructorOpts & { readonly onread: OnReadOpts } = { onread };
  const probe = new Socket(options);
  return Object.getOwnPropertySymbols(probe).find((key) => (probe as unknown as ReadFields)[key] === value);
}
