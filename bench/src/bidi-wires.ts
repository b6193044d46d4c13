import { createClientMultiplex, MULTIPLEX_PROTOCOL, type Call } from "@sluice/protocol";
import type { Note } from "./bidi-notes.ts";
import { BidiSocket, maskedFrame } from "./bidi-socket.ts";
import { openConnection } from "./connection.ts";

const method = "sluice.bench.Echo/Converse";

/** How the calls of one connection are opened. */
export interface BidiConnectionOptions {
  readonly port: number;
  /** One for each call: what it sends, and what has to come back. */
  readonly notes: readonly Note[];
  /** The note of a call has come back, as it was. */
  readonly replied: (call: number) => void;
  readonly failed: (error: Error) => void;
}

/** One connection with its calls, as the wire of a gateway has it. */
export interface BidiConnection {
  /** Sends the note of a call; the number of a call is its place in `notes`. */
  send(call: number): void;
}

/** A wire on which calls are made. */
export interface BidiWire {
  /** Whether one connection carries many calls. */
  readonly isMultiplexed: boolean;
  open(options: BidiConnectionOptions): Promise<BidiConnection>;
}

/** `sluice.v1`, with the client of `@sluice/protocol`. */
export const multiplexWire: BidiWire = { isMultiplexed: true, open: openMultiplex };

/** improbable's `grpc-websockets`: a WebSocket for each call. */
export const grpcWebsocketsWire: BidiWire = { isMultiplexed: false, open: openGrpcWebsockets };

/** grpc-websocket-proxy: a WebSocket for each call, and JSON. */
export const jsonWire: BidiWire = { isMultiplexed: false, open: openJson };

/** The wire of `gateways/ws-grpc-js.ts`. */
export const numberedWire: BidiWire = { isMultiplexed: true, open: openNumbered };

/** Messages on a bare socket, whose server writes back what it reads. */
export const bareWire: BidiWire = { isMultiplexed: true, open: openBare };

async function openMultiplex({
  port,
  notes,
  replied,
  failed,
}: BidiConnectionOptions): Promise<BidiConnection> {
  const socket = await BidiSocket.open({
    port,
    protocol: MULTIPLEX_PROTOCOL,
    onMessage: (payload) => multiplex.receive(payload),
    onError: failed,
  });
  const frames = new KnownFrames();
  const multiplex = createClientMultiplex(
    {
      send: (message) => {
        socket.send(frames.of(message));
        return true;
      },
      close: (code, reason) => failed(new Error(`closed with ${code}: ${reason}`)),
    },
    { defer: queueMicrotask },
  );
  const calls: Call[] = notes.map((note, call) =>
    multiplex.open(
      { method },
      {
        headers: () => undefined,
        message: (bytes) => {
          check(note.bytes, bytes);
          replied(call);
        },
        drain: () => undefined,
        end: ({ code, message }) => failed(new Error(`the call has ended with ${code}: ${message}`)),
      },
    ),
  );
  return {
    send: (call) => calls[call]?.send(notes[call]?.bytes ?? new Uint8Array(0)),
  };
}

async function openNumbered({
  port,
  notes,
  replied,
  failed,
}: BidiConnectionOptions): Promise<BidiConnection> {
  const socket = await BidiSocket.open({
    port,
    onMessage: (payload) => {
      const call = payload.readUInt32BE();
      check(notes[call]?.bytes, payload.subarray(4));
      replied(call);
    },
    onError: failed,
  });
  const frames = notes.map(({ bytes }, id) => {
    socket.send(maskedFrame(Buffer.from(JSON.stringify({ id, method: `/${method}` })), "text"));
    const number = Buffer.alloc(4);
    number.writeUInt32BE(id);
    return maskedFrame(Buffer.concat([number, bytes]), "binary");
  });
  return { send: (call) => socket.send(frames[call] ?? Buffer.alloc(0)) };
}

async function openJson({ port, notes, replied, failed }: BidiConnectionOptions): Promise<BidiConnection> {
  const { text } = onlyOf(notes);
  let known: Buffer | undefined;
  const socket = await BidiSocket.open({
    port,
    target: "/v1/notes:converse?method=POST",
    onMessage: (payload) => {
      if (known === undefined) {
        const reply = JSON.parse(payload.toString()) as { readonly result?: { readonly text?: string } };
        if (reply.result?.text !== text) throw new Error(`not the note that was sent: ${payload.toString()}`);
        known = Buffer.from(payload);
      }
      check(known, payload);
      replied(0);
    },
    onError: failed,
  });
  const frame = maskedFrame(Buffer.from(JSON.stringify({ text })), "text");
  return { send: () => socket.send(frame) };
}

async function openGrpcWebsockets({
  port,
  notes,
  replied,
  failed,
}: BidiConnectionOptions): Promise<BidiConnection> {
  const { bytes } = onlyOf(notes);
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(bytes.length, 1);
  const wanted = Buffer.concat([prefix, bytes]);
  const skipHeaders = new HeaderSkipper();
  let received = 0;
  const socket = await BidiSocket.open({
    port,
    target: `/${method}`,
    protocol: "grpc-websockets",
    // Messages are no boundaries here: they make one stream of bytes.
    onMessage: (payload) => {
      const data = skipHeaders.rest(payload);
      const to = received + data.length;
      check(wanted.subarray(received, to), data);
      received = to === wanted.length ? 0 : to;
      if (data.length > 0 && received === 0) replied(0);
    },
    onError: failed,
  });
  const headers = "content-type: application/grpc-web+proto\r\nx-grpc-web: 1\r\n";
  socket.send(maskedFrame(Buffer.from(headers), "binary"));
  const frame = maskedFrame(Buffer.concat([Buffer.from([0]), wanted]), "binary");
  return { send: () => socket.send(frame) };
}

async function openBare({ port, notes, replied, failed }: BidiConnectionOptions): Promise<BidiConnection> {
  /** In the order in which they were sent, and so come back. */
  const waiting: number[] = [];
  let received = 0;
  const socket = await openConnection({
    port,
    upgrade: false,
    onBytes: (bytes) => {
      for (let at = 0; at < bytes.length;) {
        const [call = 0] = waiting;
        const wanted = notes[call]?.bytes.subarray(received) ?? Buffer.alloc(0);
        const size = Math.min(wanted.length, bytes.length - at);
        check(wanted.subarray(0, size), bytes.subarray(at, at + size));
        at += size;
        received = size < wanted.length ? received + size : 0;
        if (received > 0) return;
        waiting.shift();
        replied(call);
      }
    },
    onError: failed,
  });
  return {
    send: (call) => {
      waiting.push(call);
      if (socket.writableCorked === 0) {
        socket.cork();
        process.nextTick(() => socket.uncork());
      }
      socket.write(notes[call]?.bytes ?? Buffer.alloc(0));
    },
  };
}

/** So that a large message that is sent again is not masked again, as on the other wires. */
class KnownFrames {
  /** By the call of the first frame of `sluice.v1` in the message. */
  readonly #known = new Map<number, { readonly message: Buffer; readonly frame: Buffer }>();

  of(message: Uint8Array): Buffer {
    if (message.length < 4096) return maskedFrame(message, "binary");
    const bytes = Buffer.from(message.buffer, message.byteOffset, message.length);
    const call = bytes.readUInt32BE(4);
    const known = this.#known.get(call);
    if (known?.message.equals(bytes) === true) return known.frame;
    const frame = maskedFrame(bytes, "binary");
    this.#known.set(call, { message: Buffer.from(bytes), frame });
    return frame;
  }
}

/** Passes over the one frame of headers before the first message. */
class HeaderSkipper {
  #prefix = Buffer.alloc(0);
  #left: number | undefined;

  /** What of `bytes` is behind the headers. */
  rest(bytes: Buffer): Buffer {
    let data = bytes;
    if (this.#left === undefined) {
      const missing = 5 - this.#prefix.length;
      this.#prefix = Buffer.concat([this.#prefix, data.subarray(0, missing)]);
      data = data.subarray(missing);
      if (this.#prefix.length < 5) return data;
      if (this.#prefix[0] !== 0x80) throw new Error("the first frame has no headers");
      this.#left = this.#prefix.readUInt32BE(1);
    }
    const skipped = Math.min(this.#left, data.length);
    this.#left -= skipped;
    return data.subarray(skipped);
  }
}

function onlyOf(notes: readonly Note[]): Note {
  const [note] = notes;
  if (note === undefined || notes.length > 1) throw new Error("a connection of this wire has one call");
  return note;
}

function check(wanted: Uint8Array | undefined, got: Uint8Array): void {
  if (wanted === undefined || Buffer.compare(wanted, got) !== 0)
    throw new Error(`${got.length} bytes came back that are not the ${wanted?.length ?? 0} that were sent`);
}
