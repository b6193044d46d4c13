import { Code } from "@sluice/protocol";

/** How a call ended. */
export interface Status {
  /** A canonical code, or the number that the server sent where gRPC does not define it. */
  readonly code: number;
  /** For a person; may be empty. */
  readonly message: string;
  /** The serialized `google.rpc.Status` of `grpc-status-details-bin`, where the server sent one. */
  readonly details?: Uint8Array;
  /** Set where the server has certainly not looked at the call, so that it may be made again whatever it does. */
  readonly isUnprocessed?: true;
  /** The error that nobody expected, for the log; never told to a client. */
  readonly cause?: unknown;
}

/** The status of a call that went well. */
export const okStatus: Status = Object.freeze({ code: Code.OK, message: "" });

/** A status from a code and a sentence. */
export function createStatus(code: Code, message: string): Status {
  return { code, message };
}
