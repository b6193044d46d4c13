import { MAX_CONTROL_BYTES } from "./opcode.ts";

/** The payload of a ping (RFC 6455 section 5.5.2). Throws a RangeError for one that is too long. */
export function encodePingPayload(payload: string | Uint8Array): Uint8Array {
  const bytes = typeof payload === "string" ? Buffer.from(payload) : payload;
  if (bytes.length <= MAX_CONTROL_BYTES) return bytes;
  throw new RangeError(`a ping carries at most ${MAX_CONTROL_BYTES} bytes, not ${bytes.length}`);
}
