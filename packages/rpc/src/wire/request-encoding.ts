import { Code } from "@sluice/protocol";
import type { Backend } from "../call/call.ts";
import { createStatus, type Status } from "../call/status.ts";
import { isSupportedEncoding, supportedEncodings } from "./compression.ts";

/** How compressed messages of a request are treated. */
export interface RequestEncoding {
  /** How they are compressed; undefined: not at all. */
  readonly name: string | undefined;
  /** The same, where they are passed on as they are, because the backend is known to take them so. */
  readonly passes: string | undefined;
}

const none: RequestEncoding = { name: undefined, passes: undefined };

/**
 * How the messages of a request with this encoding are treated, or UNIMPLEMENTED for one that neither the backend
 * nor the gateway can undo. `mayPass` is false where messages are transcoded on the way.
 */
export function acceptEncoding(
  backend: Backend,
  header: string | undefined,
  mayPass: boolean,
): RequestEncoding | Status {
  const name = header?.trim().toLowerCase();
  if (name === undefined || name === "" || name === "identity") return none;
  if (mayPass && backend.acceptEncodings?.has(name) === true) return { name, passes: name };
  if (isSupportedEncoding(name)) return { name, passes: undefined };
  const what = `messages that are compressed with ${JSON.stringify(name)} cannot be read; supported: ${supportedEncodings}`;
  return createStatus(Code.UNIMPLEMENTED, what);
}
