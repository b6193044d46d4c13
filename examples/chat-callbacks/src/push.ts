// Says something to a session at a moment when nobody asks: the push API of the gateway.
import { Client, credentials, type ServiceDefinition, status } from "@grpc/grpc-js";
import type { Payload } from "./session-handler.ts";

/** The push API of one gateway. */
export interface Push {
  /** Gives `payload` to a session, if it is still there. */
  send(session: string, payload: Payload): void;
}

/** A client of `sluice.push.v1.Push` at `address`. */
export function createPush(service: ServiceDefinition, address: string): Push {
  const method = service["Send"];
  if (method === undefined) throw new Error("the service has no method Send");
  const client = new Client(address, credentials.createInsecure());
  return {
    send(session, payload) {
      const request = { sessions: [session], payload };
      client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        (error) => {
          if (error !== null && error.code !== status.NOT_FOUND) console.error(error.message);
        },
      );
    },
  };
}
