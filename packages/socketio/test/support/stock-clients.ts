import { createRequire } from "node:module";
import { type CustomParser, PacketType } from "../../src/index.ts";

/** What the tests use of a stock client's manager, which is the same in all versions. */
export interface StockManager {
  readonly engine: {
    readonly id: string;
    readonly transport: { readonly name: string };
    close(): unknown;
    on(name: string, listener: (...args: never[]) => void): unknown;
    once(name: string, listener: (...args: never[]) => void): unknown;
  };
  readonly opts: { query?: Record<string, string> };
  socket(namespace: string, options?: Record<string, unknown>): StockSocket;
  reconnection(whether: boolean): unknown;
  on(name: string, listener: (...args: never[]) => void): unknown;
  once(name: string, listener: (...args: never[]) => void): unknown;
}

/** What the tests use of a stock client's socket. Where a version is given, older ones do not have it. */
export interface StockSocket {
  readonly id: string;
  readonly connected: boolean;
  readonly io: StockManager;
  /** Since 3.0. */
  auth: unknown;
  /** Since 3.0. */
  readonly volatile: StockSocket;
  /** Since 4.6. */
  readonly recovered: boolean;
  emit(name: string, ...args: unknown[]): unknown;
  send(...args: unknown[]): unknown;
  compress(whether: boolean): StockSocket;
  /** Since 4.4. */
  timeout(milliseconds: number): StockSocket;
  /** Since 4.6. */
  emitWithAck(name: string, ...args: unknown[]): Promise<unknown>;
  on(name: string, listener: (...args: never[]) => void): unknown;
  once(name: string, listener: (...args: never[]) => void): unknown;
  /** Since 3.0. */
  onAny(listener: (...args: never[]) => void): unknown;
  /** Since 4.5. */
  onAnyOutgoing(listener: (...args: never[]) => void): unknown;
  connect(): unknown;
  disconnect(): unknown;
}

type Connect = (url: string, options: Record<string, unknown>) => StockSocket;

interface StockParser extends CustomParser {
  readonly Decoder: new () => InstanceType<CustomParser["Decoder"]> & {
    checkPacket(packet: { type: number }): void;
    emit(name: "decoded", packet: unknown): unknown;
  };
}

// Not all of them are modules or have types.
const require = createRequire(import.meta.url);
const msgpack = require("socket.io-msgpack-parser") as StockParser;

/** A stock client. */
export interface StockClient {
  readonly version: string;
  /** The revision of Engine.IO that it speaks; that of Socket.IO is one more. */
  readonly revision: 3 | 4;
  readonly connect: Connect;
  /** The parser of MessagePack that goes with it. */
  readonly msgpack: CustomParser;
}

/** The stock clients that differ on the wire or in what they can. */
export const stockClients: readonly StockClient[] = [
  {
    version: "2.5.0",
    revision: 3,
    connect: require("socket.io-client-2") as Connect,
    msgpack: require("socket.io-msgpack-parser-2") as CustomParser,
  },
  { version: "3.1.3", revision: 4, connect: require("socket.io-client-3") as Connect, msgpack },
  { version: "4.4.1", revision: 4, connect: require("socket.io-client-4.4") as Connect, msgpack },
  { version: "4.6.2", revision: 4, connect: require("socket.io-client-4.6") as Connect, msgpack },
  { version: "4.8.4", revision: 4, connect: require("socket.io-client") as Connect, msgpack },
];

/** MessagePack for a server of all clients: those of 2.x send all but events in JSON, and tell events with bytes apart. */
export const serverMsgpack: CustomParser = {
  Encoder: msgpack.Encoder,
  Decoder: class extends msgpack.Decoder {
    override add(message: string | Buffer): void {
      if (typeof message !== "string") return void super.add(message);
      const packet = JSON.parse(message) as { type: number };
      this.checkPacket(packet);
      this.emit("decoded", packet);
    }

    override checkPacket(packet: { type: number }): void {
      if (packet.type === PacketType.BINARY_EVENT) packet.type = PacketType.EVENT;
      if (packet.type === PacketType.BINARY_ACK) packet.type = PacketType.ACK;
      super.checkPacket(packet);
    }
  },
};

/** Whether a version is another one or newer. */
export function isSince(version: string, since: string): boolean {
  return version.localeCompare(since, "en", { numeric: true }) >= 0;
}
