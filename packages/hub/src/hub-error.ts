/**
 * What can go wrong with what the hub is asked, in the words of gRPC:
 * - `INVALID_ARGUMENT`: a room name, a resume key, a message or a position that cannot be
 * - `NOT_FOUND`: nobody has that number
 * - `PERMISSION_DENIED`: `authorize` did not allow it
 * - `RESOURCE_EXHAUSTED`: a limit; the message names it
 * - `FAILED_PRECONDITION`: the session or the hub is closed, or the room keeps no history or no presence
 * - `ABORTED`: the room's epoch is not the one that the publisher expected
 * - `UNAVAILABLE`: the broker could not be reached; `cause` is its error
 */
export type HubErrorCode =
  | "INVALID_ARGUMENT"
  | "NOT_FOUND"
  | "PERMISSION_DENIED"
  | "RESOURCE_EXHAUSTED"
  | "FAILED_PRECONDITION"
  | "ABORTED"
  | "UNAVAILABLE";

/** The one error class of this package. Its message may be shown to the client who asked. */
export class HubError extends Error {
  readonly code: HubErrorCode;

  constructor(code: HubErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = "HubError";
    this.code = code;
  }

  /** The error as it is if it is one of these; else `UNAVAILABLE`, with the error as its cause and not in its message. */
  static from(error: unknown): HubError {
    if (error instanceof HubError) return error;
    return new HubError("UNAVAILABLE", "This cannot be done now.", { cause: error });
  }
}
