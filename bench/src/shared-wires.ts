import { createClientMultiplex, MULTIPLEX_PROTOCOL } from "@sluice/protocol";
import { BidiSocket, maskedFrame } from "./bidi-socket.ts";

/** How a client that follows is connected. */
export interface FollowerOptions {
  readonly port: number;
  /** A message has come, as the wire has it; it is overwritten after the call returns. */
  readonly received: (message: Uint8Array) => void;
  readonly failed: (error: Error) => void;
}

/** A wire on which clients follow. */
export interface FollowerWire {
  /** Connects one client. Rejects when it is refused. */
  readonly follow: (options: FollowerOptions) => Promise<void>;
  /** What a note with a text is on this wire. */
  readonly encode: (text: string) => Uint8Array;
}

/** `sluice.v1`, with the client of `@sluice/protocol` and one call on each socket. */
const multiplexWire: FollowerWire = {
  encode: (text) => {
    const bytes = Buffer.from(text);
    const length = bytes.length < 128 ? [bytes.length] : [(bytes.length & 0x7f) | 0x80, bytes.length >> 7];
    return Buffer.concat([Buffer.from([0x0a, ...length]), bytes]);
  },
  follow: async ({ port, received, failed }) => {
    const socket = await BidiSocket.open({
      port,
      protocol: MULTIPLEX_PROTOCOL,
      onMessage: (payload) => multiplex.receive(payload),
      onError: failed,
    });
    const multiplex = createClientMultiplex(
      {
        send: (message) => {
          socket.send(maskedFrame(message, "binary"));
          return true;
        },
        close: (code, reason) => failed(new Error(`closed with ${code}: ${reason}`)),
      },
      { defer: queueMicrotask },
    );
    const call = multiplex.open(
      { method: "sluice.bench.Board/Follow" },
      {
        headers: () => undefined,
        message: received,
        drain: () => undefined,
        end: ({ code, message }) => failed(new Error(`the call has ended with ${code}: ${message}`)),
      },
    );
    call.send(new Uint8Array(0));
    call.halfClose();
  },
};

/** `rest-websocket`: JSON. */
const jsonWire: FollowerWire = {
  encode: (text) => Buffer.from(JSON.stringify({ result: { text } })),
  follow: async ({ port, received, failed }) => {
    await BidiSocket.open({ port, target: "/v1/notes:follow", onMessage: received, onError: failed });
  },
};

/** By the name of the dialect. */
export const followerWires: Readonly<Record<"multiplex" | "rest-websocket", FollowerWire>> = {
  multiplex: multiplexWire,
  "rest-websocket": jsonWire,
};

/** The dialects on which clients can follow. */
export type FollowerDialect = keyof typeof followerWires;
