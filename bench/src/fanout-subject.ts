import type { AddressInfo, Server } from "node:net";
import type { FanoutMessage } from "./fanout-message.ts";

/** What is measured: a server with one room, into which every client comes. */
export interface FanoutSubject {
  /** Starts listening on a free port of 127.0.0.1 and resolves to that port. */
  listen(): Promise<number>;
  /** Publishes the messages to the room, in order, all within this tick. */
  publish(messages: readonly FanoutMessage[]): void;
  /** How many are in the room. */
  members(): number;
}

/** Has `server` listen on a free port and resolves to it. */
export function listenOnFreePort(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, () =>
      resolve((server.address() as AddressInfo).port),
    );
  });
}
