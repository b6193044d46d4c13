import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { isCode, nameOfCode } from "@sluice/protocol";
import type { Status } from "../call/status.ts";
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
    eachField(bytes, 3, (any) => details.push(detailOf(any)));
  } catch {
    // Details that are not a google.rpc.Status: what could be read of them is shown, code and message stand.
  }
  return details;
}

function detailOf(any: Uint8Array): ConnectErrorDetail {
  let url = "";
  let value: Uint8Array = new Uint8Array();
  eachField(any, 1, (bytes) => (url = Buffer.from(bytes).toString("utf8")));
  eachField(any, 2, (bytes) => (value = bytes));
  return { type: url.slice(url.lastIndexOf("/") + 1), value: base64(value) };
}

/** Calls `take` with the bytes of each field of that number. Throws for what is not a message. */
function eachField(message: Uint8Array, number: number, take: (bytes: Uint8Array) => void): void {
  const reader = new BinaryReader(message);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === number && wireType === WireType.LengthDelimited) take(reader.bytes());
    else reader.skip(wireType, field);
  }
}
