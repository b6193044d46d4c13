import type { Refusal } from "../attachment.ts";

/** Whether something is a refusal, not what was asked for. */
export function isRefusal(value: object): value is Refusal {
  return "reason" in value && "code" in value;
}
