import { isCode, nameOfCode } from "@sluice/protocol";
import type { Status } from "../call/status.ts";
import { delimitedFields } from "../wire/delimited-fields.ts";
import { base64 } from "../wire/grpc-trailers.ts";

/** An error as Connect writes it. Source: the Connect protocol, Error Codes and Error Details. */
export interface ConnectError {
  /** `not_found` and so on; `unknown` for a number that gRPC does not define. */
  readonly code: string;
  readonly message?: string;
  readonly details?: readonly ConnectErrorDetail[];
}

/** A detail of an error. Its optional `debug` form is left out, because it may say more than the backend meant to. */
export interface ConnectErrorDetail {
  /** The full name of the message type. */
  readonly type: string;
  /** The message in base64 without padding. */
  readonly value: string;
}

/** The error that a status is; it must not be OK. */
export function errorFromStatus({ code, message, details }: Status): ConnectError {
  const found = details === undefined ? [] : detailsOf(details);
  return {
    code: codeName(code),
    ...(message === "" ? {} : { message }),
    ...(found.length === 0 ? {} : { details: found }),
  };
}

function codeName(code: number): string {
  const name = isCode(code) ? nameOfCode(code).toLowerCase() : "unknown";
  return name === "cancelled" ? "canceled" : name;
}

/** The details of a serialized `google.rpc.Status`, whatever their types are. */
function detailsOf(bytes: Uint8Array): ConnectErrorDetail[] {
  const details: ConnectErrorDetail[] = [];
  try {
    for (const [field, any] of delimitedFields(bytes)) {
      if (field === 3) details.push(detailOf(any));
    }
  } catch {
    // Details that are not a google.rpc.Status: what could be read of them is shown, code and message stand.
  }
  return details;
}

function detailOf(any: Uint8Array): ConnectErrorDetail {
  let url = "";
  let value: Uint8Array = new Uint8Array();
  for (const [field, bytes] of delimitedFields(any)) {
    if (field === 1) url = Buffer.from(bytes).toString("utf8");
    else if (field === 2) value = bytes;
  }
  return { type: url.slice(url.lastIndexOf("/") + 1), value: base64(value) };
}
