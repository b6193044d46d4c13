import type { PreparedMessage } from "./prepared-message.ts";

/** Where the messages of a connection go, as they are or compressed. */
export interface MessageOutbox {
  /** Bytes that have not left yet; before compression, of what waits for it. */
  readonly bufferedAmount: number;
  /** Adds a frame behind all messages, given its first byte. A whole message may be compressed. */
  add(first: number, data: string | Uint8Array): void;
  /** Adds a prepared message. */
  addPrepared(message: PreparedMessage): void;
  /** Drops what waits for compression, and takes nothing more. Answers whether a close frame was among it. */
  drop(): boolean;
  /** Drops everything, and frees the memory. */
  close(): void;
}
