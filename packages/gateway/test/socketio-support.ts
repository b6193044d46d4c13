import { createHttp2Backend } from "@sluice/rpc";
import { type EchoServer } from "@sluice/testkit";
import { Gateway, type UpstreamOptions } from "../src/index.ts";
import { createLogger } from "../src/log.ts";
import type { HostedSocketIo, SessionHostOptions } from "../src/session-host/options.ts";
import { sessionSchema } from "../src/sessions/schemas.ts";
import { echoSchema } from "./support.ts";
import type { ScriptedHandler } from "./sessions/scripted-handler.ts";
import { plainSessions } from "./plain-sessions.ts";

/** What the tests use of the clients of all versions. */
export interface EventSocket {
  emit(name: string, ...args: unknown[]): unknown;
  once(name: string, listener: (...args: never[]) => void): unknown;
}

/** The arguments of the next event of a name. */
export function next(socket: EventSocket, name: string): Promise<unknown[]> {
  return new Promise((resolve) => {
    socket.once(name, (...args: unknown[]) => resolve(args));
  });
}

/** The arguments of the answer to an event. */
export function ask(socket: EventSocket, name: string, ...args: unknown[]): Promise<unknown[]> {
  return new Promise((resolve) => {
    socket.emit(name, ...args, (...answer: unknown[]) => resolve(answer));
  });
}

/** What is behind a gateway with the face of Socket.IO. */
export interface SocketIoScene {
  /** Told of sessions, by `callbacks` of the sessions. */
  readonly chat?: ScriptedHandler;
  readonly echo?: EchoServer;
  readonly face?: Partial<HostedSocketIo>;
  readonly sessions?: Partial<SessionHostOptions>;
}

const backoff = { initialMs: 5, maxMs: 20 };

/** Starts a gateway in this process with the face of Socket.IO at /io; answers it with its URL. */
export async function startSocketIoGateway({
  chat,
  echo,
  face,
  sessions,
}: SocketIoScene): Promise<{ readonly gateway: Gateway; readonly url: string }> {
  const upstreams: UpstreamOptions[] = [];
  if (chat !== undefined) {
    const backend = createHttp2Backend(chat.address, { backoff });
    upstreams.push({ name: "chat", backend, loadSchema: () => Promise.resolve(sessionSchema()) });
  }
  if (echo !== undefined) {
    const backend = createHttp2Backend(echo.address, { backoff });
    upstreams.push({ name: "echo", backend, loadSchema: () => echoSchema(echo) });
  }
  const gateway = new Gateway({
    upstreams,
    log: createLogger("silent"),
    sessions: {
      ...plainSessions,
      socketio: {
        path: "/io",
        revisions: [4],
        namespaces: ["/"],
        maxPayload: 100_000,
        recovery: false,
        ...face,
      },
      ...sessions,
    },
  });
  const { port } = await gateway.start("127.0.0.1", 0);
  return { gateway, url: `http://127.0.0.1:${port}` };
}
