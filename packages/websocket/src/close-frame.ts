import { CloseCode, isWireCloseCode } from "./close-code.ts";
import { WebSocketError } from "./error.ts";
import { MAX_CONTROL_BYTES } from "./opcode.ts";
import { isValidUtf8 } from "./utf8.ts";

const MAX_REASON_BYTES = MAX_CONTROL_BYTES - 2;

/** What a close frame says (RFC 6455 section 5.5.1). */
export interface CloseFrame {
  /** 1005 for a frame without a code. */
  readonly code: number;
  readonly reason: string;
}

/** The payload of a close frame. Throws a RangeError for a code or a reason that must not be sent. */
export function encodeClosePayload(code: number, reason: string): Buffer {
  if (!isWireCloseCode(code)) {
    throw new RangeError(
      `close code ${code} must not be sent: take 1000 to 1003, 1007 to 1014 or 3000 to 4999`,
    );
  }
  const length = Buffer.byteLength(reason);
  if (length > MAX_REASON_BYTES) {
    throw new RangeError(`a close reason has at most ${MAX_REASON_BYTES} bytes of UTF-8, not ${length}`);
  }
  const payload = Buffer.allocUnsafe(2 + length);
  payload.writeUInt16BE(code);
  payload.write(reason, 2);
  return payload;
}

/** The payload of the close frame that tells the peer of a failure: its code and, where it fits, its message. */
export function encodeFailurePayload({ closeCode, message }: WebSocketError): Buffer {
  return encodeClosePayload(closeCode, Buffer.byteLength(message) <= MAX_REASON_BYTES ? message : "");
}

/** Reads the payload of a close frame; an error for one that breaks the rules. */
export function decodeClosePayload(payload: Buffer): CloseFrame | WebSocketError {
  if (payload.length === 0) return { code: CloseCode.NO_STATUS, reason: "" };
  if (payload.length === 1) {
    return new WebSocketError("protocol_error", "a close frame has one byte of payload: a code has two");
  }
  const code = payload.readUInt16BE();
  if (!isWireCloseCode(code)) {
    return new WebSocketError("protocol_error", `a close frame has the code ${code}, which must not be sent`);
  }
  const reason = payload.subarray(2);
  if (!isValidUtf8(reason)) {
    return new WebSocketError("payload_invalid", "the reason of a close frame is not valid UTF-8");
  }
  return { code, reason: reason.toString() };
}
