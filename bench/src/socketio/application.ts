import { createServer } from "node:http";
import { listenOnFreePort } from "../fanout-subject.ts";
import type { SocketIoSubjectName } from "./server-process.ts";

/** What clients are told of in a broadcast. */
type Told = Readonly<Record<string, unknown>>;

/** Those members of a socket that both servers have, as far as the application needs them. */
interface EchoSocket {
  on(event: string, listener: (value: unknown, ack: (value: unknown) => void) => void): unknown;
}

/** The same of a server. */
interface EchoServer {
  on(event: "connection", listener: (socket: EchoSocket) => void): unknown;
  socketsJoin(room: string): void;
  to(room: string): { emit(event: string, told: Told): unknown };
  readonly sockets: { readonly sockets: ReadonlyMap<string, unknown> };
}

/** The application, the same on both servers. */
export interface Application {
  /** Starts listening on a free port of 127.0.0.1 and resolves to that port. */
  listen(): Promise<number>;
  /** How many sockets are connected. */
  sockets(): number;
  /** Has all sockets join one room. */
  gather(): void;
  /** Emits an event to the room. */
  tell(told: Told): void;
}

const room = "everybody";

/** The application on one of the servers, which has its defaults. */
export async function createApplication(name: SocketIoSubjectName): Promise<Application> {
  const server = createServer();
  // Imported on demand: a process loads only the library that it measures.
  const io: EchoServer =
    name === "sluice"
      ? new (await import("@sluice/socketio")).Server(server)
      : new (await import("socket.io")).Server(server);
  io.on("connection", (socket) => {
    socket.on("echo", (value, ack) => ack(value));
    socket.on("bin", (value, ack) => ack(value));
  });
  return {
    listen: () => listenOnFreePort(server),
    sockets: () => io.sockets.sockets.size,
    gather: () => io.socketsJoin(room),
    tell: (told) => io.to(room).emit("told", told),
  };
}
