import type { IncomingMessage } from "node:http";
import type { AllowRequest } from "../engine-options.ts";
import { bad } from "./admission.ts";
import { ErrorCode, type Refusal } from "./refusal.ts";

/** What of the application decides on handshakes. */
export interface Application {
  readonly allowRequest: AllowRequest | undefined;
  generateId(request: IncomingMessage): string | PromiseLike<string>;
}

/** Asks whether a client may begin a session, and for the session's id. Never rejects. */
export async function askApplication(
  request: IncomingMessage,
  application: Application,
): Promise<string | Refusal> {
  const { allowRequest } = application;
  if (allowRequest !== undefined) {
    const refusal = await ask(allowRequest, request);
    if (refusal !== undefined) return refusal;
  }
  try {
    const id: unknown = await application.generateId(request);
    if (typeof id !== "string" || id === "") throw new TypeError("generateId() must give a string");
    return id;
  } catch (error) {
    return bad("ID_GENERATION_ERROR", { error });
  }
}

function ask(allowRequest: AllowRequest, request: IncomingMessage): Promise<Refusal | undefined> {
  return new Promise((resolve) => {
    const fail = (error: unknown): void => resolve(bad("ALLOW_REQUEST_ERROR", { error }));
    try {
      const result = allowRequest(request, (message, allowed) => {
        const told = typeof message === "string" && message !== "" ? { message } : {};
        resolve(allowed ? undefined : { code: ErrorCode.FORBIDDEN, ...told, context: { message } });
      });
      if (result instanceof Promise) result.catch(fail);
    } catch (error) {
      fail(error);
    }
  });
}
