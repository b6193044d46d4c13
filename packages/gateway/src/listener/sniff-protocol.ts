import type { Socket } from "node:net";

const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/**
 * Tells from the first bytes of a connection whether it speaks HTTP/2, whose clients begin with a preface that
 * no HTTP/1 request can begin with (RFC 9113, section 3.4). The bytes are put back. A client that sends nothing
 * for `timeoutMs` milliseconds is disconnected; `found` is then never called.
 */
export function sniffProtocol(
  socket: Socket,
  timeoutMs: number,
  found: (protocol: "http1" | "http2") => void,
): void {
  const onError = (): void => {
    socket.destroy();
  };
  let held: Buffer = Buffer.alloc(0);
  const onReadable = (): void => {
    const chunk = socket.read() as Buffer | null;
    if (chunk !== null) held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    const length = Math.min(held.length, preface.length);
    const matches = held.subarray(0, length).equals(preface.subarray(0, length));
    // Some of the preface, but not all: only more bytes can tell.
    if (matches && length < preface.length) {
      socket.once("readable", onReadable);
      return;
    }
    clearTimeout(timer);
    socket.off("error", onError);
    socket.unshift(held);
    found(matches ? "http2" : "http1");
  };
  const timer = setTimeout(onError, timeoutMs);
  socket.on("error", onError);
  socket.once("close", () => clearTimeout(timer));
  socket.once("readable", onReadable);
}
