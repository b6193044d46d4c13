import type { CompressionOptions } from "@sluice/websocket";

/** Compression of WebSocket messages in the words of the package ws, as far as they mean something here. */
export interface PerMessageDeflateOptions {
  /** Bytes from which on a message is compressed. Default 1,024. */
  readonly threshold?: number;
  /** How messages are compressed. */
  readonly zlibDeflateOptions?: {
    readonly level?: number;
    readonly memLevel?: number;
    readonly windowBits?: number;
  };
  /** Whether each message to the client is compressed alone. */
  readonly serverNoContextTakeover?: boolean;
  /** Whether the client is asked to compress each message alone. */
  readonly clientNoContextTakeover?: boolean;
  /** The window of what the server sends, 9 to 15 bits. */
  readonly serverMaxWindowBits?: number;
  /** The window of what the client sends, 9 to 15 bits. */
  readonly clientMaxWindowBits?: number;
}

/** The same for `@sluice/websocket`. What is not given has that package's defaults. */
export function compressionFromPerMessageDeflate(
  given: boolean | PerMessageDeflateOptions,
): false | Partial<CompressionOptions> {
  if (given === false) return false;
  if (given === true) return {};
  const { threshold, zlibDeflateOptions: zlib, serverNoContextTakeover, clientNoContextTakeover } = given;
  const windowBits = given.serverMaxWindowBits ?? zlib?.windowBits;
  const peerWindowBits = given.clientMaxWindowBits;
  return {
    ...(threshold === undefined ? {} : { threshold }),
    ...(zlib?.level === undefined ? {} : { level: zlib.level }),
    ...(zlib?.memLevel === undefined ? {} : { memoryLevel: zlib.memLevel }),
    ...(windowBits === undefined ? {} : { windowBits }),
    ...(peerWindowBits === undefined ? {} : { peerWindowBits }),
    ...(serverNoContextTakeover === undefined ? {} : { contextTakeover: !serverNoContextTakeover }),
    ...(clientNoContextTakeover === undefined ? {} : { peerContextTakeover: !clientNoContextTakeover }),
  };
}
