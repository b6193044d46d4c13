import type { IncomingMessage } from "node:http";

/** Why a body could not be read: it has more bytes than allowed, or the client gave up. */
export type BodyFailure = "too_large" | "aborted";

/** Reads a request's body up to a limit of bytes, and calls `done` once. What is beyond the limit is not kept. */
export function readBody(
  request: IncomingMessage,
  maxBytes: number,
  done: (body: Buffer | BodyFailure) => void,
): void {
  // It may still be under way: Node reads what nobody listens for after the answer.
  if (Number(request.headers["content-length"] ?? 0) > maxBytes) return done("too_large");
  let chunks: Buffer[] = [];
  let bytes = 0;
  const finish = (result: Buffer | BodyFailure): void => {
    request.off("data", onData);
    request.off("end", onEnd);
    request.off("close", onClose);
    done(result);
  };
  const onData = (chunk: Buffer): void => {
    bytes += chunk.length;
    if (bytes > maxBytes) {
      chunks = [];
      finish("too_large");
      request.resume();
    } else {
      chunks.push(chunk);
    }
  };
  const onEnd = (): void => finish(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, bytes));
  const onClose = (): void => finish("aborted");
  request.on("data", onData);
  request.on("end", onEnd);
  request.on("close", onClose);
  request.on("error", ignoreError);
}

/** The request's `close` follows. */
function ignoreError(): void {}
