import { Code, ConnectError } from "@connectrpc/connect";
import { CallError } from "../call-error.ts";
import { headersFromMetadata } from "../headers.ts";

const codes = Object.values(Code).filter((each) => typeof each !== "string");

/** The error of a call as clients of Connect-ES have it; what is none stays what it is. */
export function connectErrorFrom(error: unknown): unknown {
  if (!(error instanceof CallError)) return error;
  const code = codes.find((each) => each.valueOf() === error.code) ?? Code.Unknown;
  const headers = headersFromMetadata(error.metadata);
  const connectError = new ConnectError(error.rawMessage, code, headers, undefined, error.cause);
  connectError.details = [...error.details];
  return connectError;
}

/** Throws the error of a call as clients of Connect-ES have it. */
export function throwConnectError(error: unknown): never {
  throw connectErrorFrom(error);
}
