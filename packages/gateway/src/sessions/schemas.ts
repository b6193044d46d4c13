import { createSchema, type Method, type Schema } from "@sluice/rpc";
import { file_sluice_push_v1_push } from "./generated/sluice/push/v1/push_pb.ts";
import { file_sluice_session_v1_session } from "./generated/sluice/session/v1/session_pb.ts";

let session: Schema | undefined;
let push: Schema | undefined;

/** The schema of `sluice.session.v1.SessionHandler`, which backends implement. */
export function sessionSchema(): Schema {
  session ??= createSchema({
    name: "sluice/session/v1/session.proto",
    files: [file_sluice_session_v1_session.proto],
  });
  return session;
}

/** The schema of `sluice.push.v1.Push`, which a gateway serves. */
export function pushSchema(): Schema {
  push ??= createSchema({
    name: "sluice/push/v1/push.proto",
    files: [file_sluice_session_v1_session.proto, file_sluice_push_v1_push.proto],
    services: new Set(["sluice.push.v1.Push"]),
  });
  return push;
}

/** A method of SessionHandler by its name. */
export function sessionMethod(name: "Connect" | "Message" | "Disconnect" | "Resume" | "Stream"): Method {
  const path = `/sluice.session.v1.SessionHandler/${name}`;
  const method = sessionSchema().methods.get(path);
  if (method === undefined) throw new Error(`the descriptors of ${path} are missing`);
  return method;
}
