import { Socket } from "node:net";
import { Duplex } from "node:stream";
import { createReadCallback, shareReads } from "./shared-reads.ts";

/** What a socket tells the one connection that it belongs to. */
export interface SocketListener {
  /** Bytes came. */
  read(chunk: Buffer): void;
  /** Everything has left, after a write that answered false. */
  drained(): void;
  /** The peer ends its side. */
  ended(): void;
  /** From now on the socket may have a timeout. */
  timed(): void;
  /** The socket failed; its end follows. */
  lost(error: Error): void;
  /** The socket is gone. */
  finish(): void;
}

const listener: unique symbol = Symbol("WebSocketConnection");

interface AttachedSocket extends Duplex {
  [listener]?: SocketListener;
}

/** Whether a socket already belongs to a WebSocket connection. */
export function isAttached(socket: Duplex): boolean {
  return listener in socket;
}

/** Lets a connection hear of everything but bytes. All connections share the functions that listen. */
export function attach(socket: Duplex, connection: SocketListener): void {
  (socket as AttachedSocket)[listener] = connection;
  socket.on("close", onClose);
  socket.on("error", onError);
  socket.on("drain", onDrain);
  socket.on("end", onEnd);
  if (socket instanceof Socket) socket.setTimeout = setTimeoutOfAttached;
}

/** Lets bytes flow to an attached connection, though not before this tick ends. */
export function startReading(socket: Duplex): void {
  socket.on("data", onData);
  if (socket instanceof Socket && !shareReads(socket, onRead)) socket.push = pushToConnection;
}

/**
 * Takes the place of a socket's `push()`, which the system's reads call. While bytes flow and none wait, they go to the
 * connection without the way through the stream's buffer and event, which costs as much as parsing a small message.
 */
function pushToConnection(this: AttachedSocket, chunk: Buffer | null, encoding?: BufferEncoding): boolean {
  if (chunk === null || this.readableFlowing !== true || this.readableLength > 0) {
    return Duplex.prototype.push.call(this, chunk, encoding);
  }
  this[listener]!.read(chunk);
  return true;
}

/** The same for a socket that reads into shared memory, of which the stream may keep nothing. */
function takeRead(socket: AttachedSocket, bytes: Buffer): boolean {
  if (socket.readableFlowing !== true || socket.readableLength > 0) {
    return Duplex.prototype.push.call(socket, Buffer.from(bytes));
  }
  socket[listener]!.read(bytes);
  return true;
}

const onRead = createReadCallback(takeRead);

/** Takes the place of a socket's `setTimeout()`, to tell of it. */
function setTimeoutOfAttached(this: Socket & AttachedSocket, timeout: number, callback?: () => void): Socket {
  this[listener]!.timed();
  return Socket.prototype.setTimeout.call(this, timeout, callback);
}

function onData(this: AttachedSocket, chunk: Buffer): void {
  this[listener]!.read(chunk);
}

function onDrain(this: AttachedSocket): void {
  this[listener]!.drained();
}

function onEnd(this: AttachedSocket): void {
  this[listener]!.ended();
}

function onError(this: AttachedSocket, error: Error): void {
  this[listener]!.lost(error);
}

function onClose(this: AttachedSocket): void {
  this[listener]!.finish();
}
