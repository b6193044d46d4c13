import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import * as grpc from "@grpc/grpc-js";
import { ReflectionService } from "@grpc/reflection";
import { testCertificates } from "../certificates.ts";
import { CallRecorder, type CallLog } from "./call-log.ts";
import { echoProtoPath, loadDefinition, protoFolder, serviceOf, sharedProtoFolder } from "./definition.ts";
import { echoHandlers } from "./echo-service.ts";
import type { ServerHealth } from "./health-service.ts";
import { libraryHandlers, mirrorBytes } from "./library-service.ts";
import { addReflection } from "./reflection-service.ts";

/** How an echo server is to be. */
export interface EchoServerOptions {
  /** Default: 127.0.0.1. */
  readonly host?: string;
  /** Default: 0, which picks one. */
  readonly port?: number;
  /** `mutual` also demands the client certificate of `testCertificates()`. Default: false. */
  readonly tls?: boolean | "mutual";
  /** Calls that one connection may have open (SETTINGS_MAX_CONCURRENT_STREAMS). Default: no limit. */
  readonly maxConcurrentStreams?: number;
  /**
   * `v1` and `v1alpha` answer the descriptors as protoc makes them; `grpc-reflection` is the npm package
   * @grpc/reflection, whose descriptors are damaged, in both versions. Default: `v1`.
   */
  readonly reflection?: "none" | "v1" | "v1alpha" | "grpc-reflection";
  /** The services of proto/echo.proto that are served. Default: both. */
  readonly services?: readonly EchoServiceName[];
  /** Answers grpc.health.v1 with this. Default: the server has no such service. */
  readonly health?: ServerHealth;
}

/** The services of proto/echo.proto. */
export type EchoServiceName = "sluice.test.v1.Echo" | "sluice.test.v1.Library";

/** A running gRPC server (@grpc/grpc-js) with the services of proto/echo.proto. */
export interface EchoServer {
  readonly port: number;
  /** `host:port`. */
  readonly address: string;
  /** The `.proto` file of its services. */
  readonly protoPath: string;
  /** The folders in which that file finds its imports; the google.protobuf ones come with every compiler. */
  readonly importPaths: readonly string[];
  readonly calls: CallLog;
  /** TCP connections: those that are open, and all since the start. */
  readonly connections: { readonly open: number; readonly accepted: number };
  /** Sends GOAWAY on every connection and cuts what still runs after `graceMs`; new connections are welcome. */
  goAway(graceMs: number): void;
  /** Resets every connection at once (RST); new connections are welcome. */
  reset(): void;
  /** Resets every connection at once and stops listening, as a process that dies. The port is free afterwards. */
  kill(): Promise<void>;
  /** Ends every call and connection and stops listening. */
  close(): Promise<void>;
}

const both: readonly EchoServiceName[] = ["sluice.test.v1.Echo", "sluice.test.v1.Library"];

function createGrpcServer(options: EchoServerOptions, recorder: CallRecorder): grpc.Server {
  const definition = loadDefinition(echoProtoPath);
  const server = new grpc.Server({
    interceptors: [recorder.interceptor],
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
    ...(options.maxConcurrentStreams === undefined
      ? {}
      : { "grpc.max_concurrent_streams": options.maxConcurrentStreams }),
  });
  const { services = both } = options;
  if (services.includes("sluice.test.v1.Echo")) {
    server.addService(serviceOf(definition, "sluice.test.v1.Echo"), echoHandlers);
  }
  if (services.includes("sluice.test.v1.Library")) {
    server.addService(mirrorBytes(serviceOf(definition, "sluice.test.v1.Library")), libraryHandlers);
  }
  options.health?.addTo(server);
  const reflection = options.reflection ?? "v1";
  if (reflection === "grpc-reflection") new ReflectionService(definition).addToServer(server);
  else if (reflection !== "none") addReflection(server, reflection, services);
  return server;
}

function createCredentials(tls: boolean | "mutual"): grpc.ServerCredentials {
  if (tls === false) return grpc.ServerCredentials.createInsecure();
  const { ca, server } = testCertificates();
  const pair = { cert_chain: Buffer.from(server.cert), private_key: Buffer.from(server.key) };
  return grpc.ServerCredentials.createSsl(Buffer.from(ca), [pair], tls === "mutual");
}

/** Starts an echo server; it listens once the promise resolves. */
export async function startEchoServer(options: EchoServerOptions = {}): Promise<EchoServer> {
  const recorder = new CallRecorder();
  const server = createGrpcServer(options, recorder);
  const injector = server.createConnectionInjector(createCredentials(options.tls ?? false));
  const sockets = new Set<Socket>();
  let accepted = 0;
  // A listener of our own hands the connections on, because grpc-js shows its sockets to nobody.
  const listener = createServer({ noDelay: true }, (socket) => {
    accepted++;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    injector.injectConnection(socket);
  });
  const host = options.host ?? "127.0.0.1";
  listener.listen(options.port ?? 0, host);
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;

  const stop = async (end: (socket: Socket) => void): Promise<void> => {
    // Node aborts when a session is destroyed while the frames of one read are handed out.
    await turn();
    const closed = once(listener, "close");
    listener.close();
    for (const socket of sockets) end(socket);
    server.forceShutdown();
    await closed;
  };
  let stopped: Promise<void> | undefined;

  return {
    port,
    address: `${host.includes(":") ? `[${host}]` : host}:${port}`,
    protoPath: echoProtoPath,
    importPaths: [protoFolder, sharedProtoFolder],
    calls: recorder,
    connections: {
      get open() {
        return sockets.size;
      },
      get accepted() {
        return accepted;
      },
    },
    goAway: (graceMs) => injector.drain(graceMs),
    reset: () => {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    kill: () => (stopped ??= stop((socket) => socket.resetAndDestroy())),
    close: () => (stopped ??= stop((socket) => socket.destroy())),
  };
}
