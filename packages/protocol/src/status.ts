import { Code } from "./code.ts";

/** How a call ended. */
export interface Status {
  /** A canonical code, or the number that the server sent where gRPC does not define it. */
  readonly code: number;
  /** For a person; may be empty. */
  readonly message: string;
  /** The serialized `google.rpc.Status` of `grpc-status-details-bin`, where the server sent one. */
  readonly details?: Uint8Array;
  /**
   * The call certainly never reached a service: another connection may open it again, whatever its method does.
   * Told by the client's side of the multiplex wire only; it is not sent.
   */
  readonly unprocessed?: true;
}

/** A status with a code of gRPC and a text for a person. */
export function status(code: Code, message: string): Status {
  return { code, message };
}

/** The end of a call that breaks a limit. */
export function exhausted(message: string): Status {
  return status(Code.RESOURCE_EXHAUSTED, message);
}

/** The end of a call whose metadata does not fit into a frame that its receiver takes. */
export function tooMuchMetadata(bytes: number, most: number): Status {
  return exhausted(`the metadata has ${bytes} bytes, more than the receiver's maximum of ${most}`);
}

/** The end of a call whose connection closed with `code`. PROTOCOL.md, "Errors of the connection". */
export function statusFromClose(code: number, reason: string): Status {
  const grpc =
    code === 4429
      ? Code.RESOURCE_EXHAUSTED
      : code === 4400 || code === 4413 || code === 4420
        ? Code.INTERNAL
        : Code.UNAVAILABLE;
  return status(grpc, `the connection closed with ${code}${reason === "" ? "" : `: ${reason}`}`);
}
