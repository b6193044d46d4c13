import type { Status } from "@sluice/rpc";
import type { StreamRequest, StreamResponse } from "../generated/sluice/session/v1/session_pb.ts";

/** What a backend may be called for. */
export const hookNames = ["connect", "message", "disconnect", "resume"] as const;
export type HookName = (typeof hookNames)[number];

/** One event of one session, on its way to the backend. */
export type HookEvent = Extract<StreamRequest["event"], { case: HookName }>;

/** What the backend says to an event: the response of the same hook. */
export type HookAnswer = Extract<StreamResponse["answer"], { case: HookName }>;

/** What became of an event: an answer, or why there is none. */
export type Outcome =
  | { readonly answer: HookAnswer; readonly failure?: undefined }
  | { readonly failure: Status; readonly answer?: undefined };

/** Carries events to the backend: one call each, or all of them on streams. */
export interface Caller {
  /**
   * Sends an event and waits for its answer for `timeoutMs` milliseconds. `settle` is called exactly once, and never
   * before `call` has returned. Throws, and sends nothing, where the event is none that protobuf can hold.
   */
  call(event: HookEvent, timeoutMs: number, settle: (outcome: Outcome) => void): void;
  /** Ends what is open; what waits is settled with UNAVAILABLE. */
  close(): void;
}
