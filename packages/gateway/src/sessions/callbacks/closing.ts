import { CloseCode, type Refusal } from "@sluice/hub";
import { Code } from "@sluice/protocol";
import type { Status } from "@sluice/rpc";
import { closeCodeOr, fittingReason } from "../close-codes.ts";
import type { Deny } from "../generated/sluice/session/v1/session_pb.ts";

/** The statuses by which a backend says no, rather than fails. */
const denying: ReadonlyMap<number, number> = new Map([
  [Code.UNAUTHENTICATED, CloseCode.UNAUTHENTICATED],
  [Code.PERMISSION_DENIED, CloseCode.DENIED],
  [Code.RESOURCE_EXHAUSTED, CloseCode.TRY_AGAIN_LATER],
]);

/** How a client is sent away that the backend denies in its answer. */
export function closingFromDeny({ code, reason }: Deny): Refusal {
  return { code: closeCodeOr(code, CloseCode.DENIED), reason: fittingReason(reason) };
}

/** How a client is sent away that the backend denies by a status; undefined for a status that is a failure. */
export function closingFromStatus({ code, message }: Status): Refusal | undefined {
  const closeCode = denying.get(code);
  return closeCode === undefined ? undefined : { code: closeCode, reason: fittingReason(message) };
}

/** How a client is sent away when the backend has failed. */
export function closingAfterFailure({ code }: Status): Refusal {
  return code === Code.UNAVAILABLE || code === Code.DEADLINE_EXCEEDED
    ? { code: CloseCode.TRY_AGAIN_LATER, reason: "the backend is away; try again later" }
    : { code: CloseCode.INTERNAL, reason: "the backend failed" };
}
