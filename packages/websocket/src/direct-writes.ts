import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import { getSystemErrorName } from "node:util";

/** Who is told what becomes of bytes that the system did not take at once. */
export interface WriteListener {
  /** The system has taken them; or, with an error, they cannot be written. */
  written(error?: Error | null): void;
}

/** The system's side of a socket, which Node itself writes to. */
export interface SystemHandle {
  /**
   * Below 0, the system's error: nothing was written. Otherwise the system took everything; or the request has got an
   * id, and is called when the rest is taken. No other write may be given such a request: Node would abort.
   */
  writeBuffer(request: WriteRequest, bytes: Buffer): number;
}

/** What Node gives a handle with each write. */
interface WriteRequest {
  handle: SystemHandle;
  buffer: Buffer | null;
  callback: WriteCallback;
  /** Does for the socket what Node does after a write that had to wait, and calls `callback`. */
  readonly oncomplete: (status: number) => void;
  /** -1 unless a write waits. */
  getAsyncId(): number;
}

type WriteCallback = (error?: Error | null) => void;

/** Node's own fields of a socket. */
interface SocketFields {
  _handle: SystemHandle | null;
}

/** Written to only to see how Node does it. */
const probe = new Socket();
const probeCallback: WriteCallback = () => {};

/** A request that no write waits with; undefined where this version of Node writes in another way. */
let spare = createRequest();
const supported = spare !== undefined;

/** Lets Node make a request, as it does for each write, so that nothing depends on where its class is to be had. */
function createRequest(): WriteRequest | undefined {
  let made: Partial<WriteRequest> | null | undefined;
  const handle: SystemHandle = {
    writeBuffer(request) {
      made = request;
      return 0;
    },
  };
  const fields = probe as unknown as SocketFields;
  // oxlint-disable-next-line no-underscore-dangle -- Node's name
  fields._handle = handle;
  try {
    writeWithNode(probe, Buffer.alloc(1), probeCallback);
  } catch {
    return undefined;
  }
  const isKnown =
    made?.handle === handle &&
    made.callback === probeCallback &&
    made.buffer !== undefined &&
    typeof made.oncomplete === "function" &&
    typeof made.getAsyncId === "function" &&
    made.getAsyncId() === -1;
  return isKnown ? (made as WriteRequest) : undefined;
}

/** Whether a socket is the system's, so that `writeDirectly()` may be used while nothing waits in its stream. */
export function isSystemSocket(socket: Duplex): socket is Socket {
  return socket instanceof Socket && !(socket instanceof TLSSocket);
}

/**
 * The handle for `writeDirectly()`. Undefined where this Node, or this socket, is not as expected; and with a timeout,
 * which only Node can put off.
 */
export function handleOf(socket: Socket): SystemHandle | undefined {
  // oxlint-disable-next-line no-underscore-dangle -- Node's names
  const { _handle: handle } = socket as unknown as SocketFields;
  if (!supported || handle === null || socket.timeout) return undefined;
  // oxlint-disable-next-line no-underscore-dangle -- Node's name
  if (socket._write !== Socket.prototype._write) return undefined;
  // Of all handles that Node writes to, those of TCP and of pipes have this.
  return "writeQueueSize" in handle ? handle : undefined;
}

/** Always true of a handle: a look at it, to have its memory at hand when it is written to. */
export function isWritable(handle: SystemHandle): boolean {
  return handle.writeBuffer !== undefined;
}

/**
 * Writes to the system, past the stream and its queue, which must be empty; and with a handle, past the request that Node
 * makes for each write, and without a look at the socket: in a broadcast to thousands, memory that is not in the
 * processor's cache costs more than all else outside the kernel.
 *
 * Answers whether bytes wait. Then the listener is told later; and it is told at once of an error. Nothing is written to
 * a socket that has ended.
 */
export function writeDirectly(
  socket: Socket,
  handle: SystemHandle | undefined,
  bytes: Buffer,
  listener: WriteListener,
): boolean {
  if (handle === undefined) return writeOrTell(socket, bytes, listener);
  const request = spare ?? createRequest()!;
  // Not there for the async hooks of an application, which a write that has to wait calls.
  spare = undefined;
  const status = handle.writeBuffer(request, bytes);
  if (status < 0) {
    if (socket.writable) listener.written(writeError(status));
    return false;
  }
  if (request.getAsyncId() === -1) {
    spare = request;
    return false;
  }
  request.handle = handle;
  request.buffer = bytes;
  request.callback = (error) => listener.written(error);
  return true;
}

function writeOrTell(socket: Socket, bytes: Buffer, listener: WriteListener): boolean {
  if (!socket.writable) return false;
  let returned = false;
  let waits = true;
  writeWithNode(socket, bytes, (error) => {
    waits = false;
    if (returned || error) listener.written(error);
  });
  returned = true;
  return waits;
}

function writeWithNode(socket: Socket, bytes: Buffer, callback: WriteCallback): void {
  // oxlint-disable-next-line no-underscore-dangle -- the method by which a stream is written to, whoever calls it
  socket._write(bytes, "buffer" as BufferEncoding, callback);
}

/** The error that Node makes. */
function writeError(errno: number): Error {
  const code = getSystemErrorName(errno);
  return Object.assign(new Error(`write ${code}`), { errno, code, syscall: "write" });
}
