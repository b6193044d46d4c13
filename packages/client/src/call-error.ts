import { type Metadata, nameOfCode, noMetadata, type Status } from "@sluice/protocol";
import { detailsFromStatus, type ErrorDetail } from "./error-details.ts";

/** Why a call failed: its status, if that is not OK. */
export class CallError extends Error {
  override readonly name: string = "CallError";
  /** A code of gRPC (`Code`), or another number that the server sent. */
  readonly code: number;
  /** What the server said, without the code before it. */
  readonly rawMessage: string;
  readonly details: readonly ErrorDetail[];
  /** The response's headers and trailers. */
  readonly metadata: Metadata;

  /** `cause` is what made this side end the call, where it did. */
  constructor(status: Status, metadata: Metadata = noMetadata, cause?: unknown) {
    super(`[${nameOfCode(status.code)}] ${status.message}`, cause === undefined ? {} : { cause });
    this.code = status.code;
    this.rawMessage = status.message;
    this.details = status.details === undefined ? [] : detailsFromStatus(status.details);
    this.metadata = metadata;
  }
}
