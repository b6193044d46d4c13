import type { Duplex } from "node:stream";
import type { Clock } from "../clock.ts";
import type { HandshakeRequest } from "../handshake/handshake-request.ts";
import type { Refusal } from "../handshake/refusal.ts";
import type { Admission, Verify } from "./endpoint.ts";

/** What came of asking. */
export type Verdict =
  | { readonly name: "admitted"; readonly admission: Admission }
  | { readonly name: "refused"; readonly refusal: Refusal }
  | { readonly name: "failed"; readonly cause: unknown }
  | { readonly name: "client_left" | "timeout" | "closing" };

/** What asking depends on. */
export interface VerifyContext {
  readonly request: HandshakeRequest;
  /** Watched for the client's leaving. Bytes that come meanwhile stay in it. */
  readonly socket: Duplex;
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** What the server calls when it closes. */
  readonly onClose: Set<() => void>;
}

/** Asks a `verify` function, and waits until it has decided or the decision is no longer wanted. Never rejects. */
export async function askVerify(verify: Verify, context: VerifyContext): Promise<Verdict> {
  const { request, socket, timeoutMs, clock, onClose } = context;
  const unwanted = new AbortController();
  const verdict = await new Promise<Verdict>((resolve) => {
    const stopWatching = watchForLeaving(socket, () => settle({ name: "client_left" }));
    const timer = clock.after(timeoutMs, () => settle({ name: "timeout" }));
    const onClosing = (): void => settle({ name: "closing" });
    onClose.add(onClosing);
    decide(verify, request, unwanted.signal).then(settle, (cause: unknown) =>
      settle({ name: "failed", cause }),
    );

    function settle(settled: Verdict): void {
      stopWatching();
      timer.cancel();
      onClose.delete(onClosing);
      resolve(settled);
    }
  });
  if (verdict.name !== "admitted" && verdict.name !== "refused") unwanted.abort();
  // The stream notices in the next tick that nobody listens for `readable`, and only then flows as it would have.
  await new Promise<void>((resolve) => {
    process.nextTick(resolve);
  });
  return socket.destroyed && verdict.name === "admitted" ? { name: "client_left" } : verdict;
}

async function decide(verify: Verify, request: HandshakeRequest, signal: AbortSignal): Promise<Verdict> {
  const decided = (await verify(request, signal)) ?? {};
  return "status" in decided
    ? { name: "refused", refusal: decided }
    : { name: "admitted", admission: decided };
}

/** Calls once when the peer of a socket that nobody reads ends or loses it. Returns what stops that. */
function watchForLeaving(socket: Duplex, left: () => void): () => void {
  // An end is only told to one who reads; this reads nothing as long as there is something.
  const onReadable = (): void => {
    if (socket.readableLength === 0) socket.read(0);
  };
  socket.on("readable", onReadable);
  socket.on("end", left);
  socket.on("close", left);
  socket.on("error", ignoreError);
  if (socket.destroyed) process.nextTick(left);
  return () => {
    socket.off("readable", onReadable);
    socket.off("end", left);
    socket.off("close", left);
  };
}

/** Stays, so that a socket which fails before it has a connection does not end the process. Its `close` follows. */
function ignoreError(): void {}
