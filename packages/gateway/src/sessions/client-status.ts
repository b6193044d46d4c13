import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { anyPack, type Any } from "@bufbuild/protobuf/wkt";
import type { Answer } from "@sluice/hub";
import { Code, nameOfCode } from "@sluice/protocol";
import type { Status } from "@sluice/rpc";
import { ErrorInfoSchema } from "./generated/google/rpc/error_details_pb.ts";
import { StatusSchema } from "./generated/google/rpc/status_pb.ts";

/** What clients are told in the place of what is meant for the log: where backends are, and how they broke. */
const generic: Readonly<Record<number, string>> = {
  [Code.UNKNOWN]: "the backend failed",
  [Code.INTERNAL]: "the backend failed",
  [Code.DATA_LOSS]: "the backend failed",
  [Code.DEADLINE_EXCEEDED]: "the backend did not answer in time",
  [Code.UNAVAILABLE]: "the backend is away; try again later",
  [Code.UNIMPLEMENTED]: "the backend does not take this",
};

/**
 * How a client is told that its message was refused, by the status of a call that the gateway made for it. The type of the
 * message goes along, so that a client of packets knows which it was.
 */
export function refusalFrom(status: Status, type: string): Answer {
  const { code } = status;
  const text = generic[code];
  const message = text ?? status.message;
  const details = text === undefined ? detailsOf(status) : [];
  if (type !== "") details.push(ofType(type));
  const bytes = toBinary(StatusSchema, create(StatusSchema, { code, message, details }));
  return { ok: false, code: nameOfCode(code), message, status: bytes };
}

function ofType(type: string): Any {
  const info = { reason: "MESSAGE_REFUSED", domain: "sluice.session.v1", metadata: { type } };
  return anyPack(ErrorInfoSchema, create(ErrorInfoSchema, info));
}

function detailsOf({ details }: Status): Any[] {
  if (details === undefined) return [];
  try {
    return fromBinary(StatusSchema, details).details;
  } catch {
    return [];
  }
}
