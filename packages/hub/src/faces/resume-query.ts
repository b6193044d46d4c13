import type { ResumeRequest, Refusal } from "../attachment.ts";
import { CloseCode } from "../close-code.ts";

/**
 * What `?resume=KEY&received=N` asks for; undefined where there is no `resume`. For wires that cannot say
 * `recovered: false`, so a client that has had something is refused where it cannot have the rest.
 */
export function resumeFromQuery(query: URLSearchParams): ResumeRequest | Refusal | undefined {
  const key = query.get("resume");
  const received = query.get("received") ?? "0";
  if (key === null) {
    if (!query.has("received")) return undefined;
    return { code: CloseCode.MALFORMED, reason: "received= says nothing without resume=" };
  }
  if (!/^\d{1,15}$/.test(received)) {
    return { code: CloseCode.MALFORMED, reason: "received= must be how many messages came, a whole number" };
  }
  return { key, received: Number(received), mustRecover: true };
}
