import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { create, fromBinary, toBinary, type DescMessage, type MessageInitShape } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import {
  SessionHandler,
  StreamRequestSchema,
  StreamResponseSchema,
  type ConnectRequest,
  type ConnectResponseSchema,
  type DisconnectRequest,
  type DisconnectResponseSchema,
  type MessageRequest,
  type MessageResponseSchema,
  type ResumeRequest,
  type ResumeResponseSchema,
  type StreamRequest,
} from "../../src/sessions/generated/sluice/session/v1/session_pb.ts";

type Awaitable<Value> = Value | Promise<Value>;

/** What a backend answers to each hook; a `Refusal` that it throws becomes a status. Default: an empty answer. */
export interface Script {
  connect?: (request: ConnectRequest) => Awaitable<MessageInitShape<typeof ConnectResponseSchema>>;
  message?: (request: MessageRequest) => Awaitable<MessageInitShape<typeof MessageResponseSchema>>;
  disconnect?: (request: DisconnectRequest) => Awaitable<MessageInitShape<typeof DisconnectResponseSchema>>;
  resume?: (request: ResumeRequest) => Awaitable<MessageInitShape<typeof ResumeResponseSchema>>;
}

type Hook = keyof Script;

/** One event that the backend was told. */
export type Told = Exclude<StreamRequest["event"], { case: undefined }>;

/** A status for which a script throws. */
export class Refusal extends Error {
  readonly code: grpc.status;

  constructor(code: grpc.status, message: string) {
    super(message);
    this.code = code;
  }
}

/** A gRPC server (@grpc/grpc-js) that implements sluice.session.v1.SessionHandler by a script. */
export class ScriptedHandler {
  readonly script: Script;
  /** What it was told, in order. */
  readonly told: Told[] = [];
  /** Metadata of the calls. */
  readonly metadata: grpc.Metadata[] = [];
  /** How many streams were opened. */
  streams = 0;
  port = 0;
  /** What it speaks from its next start on. */
  credentials: grpc.ServerCredentials = grpc.ServerCredentials.createInsecure();
  /** Called before each answer on a stream. */
  beforeAnswer: (call: Stream, id: number) => void = () => undefined;
  readonly #open = new Set<Stream>();
  readonly #without: ReadonlySet<string>;
  #isReading = true;
  #running: { readonly kill: () => Promise<void> } | undefined;

  /** `without` names methods that it does not implement. */
  constructor(script: Script = {}, without: readonly string[] = []) {
    this.script = script;
    this.#without = new Set(without);
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Whether it reads its streams. */
  set isReading(isReading: boolean) {
    this.#isReading = isReading;
    if (isReading) for (const call of this.#open) call.resume();
  }

  /** Ends all streams with OK, as a server that goes away. */
  endStreams(): void {
    for (const call of this.#open) call.end();
  }

  /** What it was told of a hook, in order. */
  of<Name extends Hook>(name: Name): Extract<Told, { case: Name }>["value"][] {
    return this.told.flatMap((told) => (told.case === name ? [told.value as never] : []));
  }

  /** Listens, on the same port as before. */
  async start(): Promise<this> {
    const server = new grpc.Server();
    const implementation: Record<string, grpc.UntypedHandleCall> = {
      Stream: (call: Stream) => this.#stream(call),
    };
    for (const hook of ["connect", "message", "disconnect", "resume"] as const) {
      implementation[capitalized(hook)] = (call: Unary, callback: Callback) => {
        this.metadata.push(call.metadata);
        this.#answer({ case: hook, value: call.request } as Told).then(
          (answer) => callback(null, answer),
          (error: unknown) => callback(statusOf(error)),
        );
      };
    }
    const methods = Object.entries(definition()).filter(([name]) => !this.#without.has(name));
    server.addService(Object.fromEntries(methods), implementation);
    const injector = server.createConnectionInjector(this.credentials);
    const sockets = new Set<Socket>();
    const listener = createServer({ noDelay: true }, (socket) => {
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
      socket.on("error", () => {});
      injector.injectConnection(socket);
    });
    listener.listen(this.port, "127.0.0.1");
    await once(listener, "listening");
    this.port = (listener.address() as AddressInfo).port;
    const kill = async (): Promise<void> => {
      await turn();
      const closed = once(listener, "close");
      listener.close();
      for (const socket of sockets) socket.resetAndDestroy();
      server.forceShutdown();
      await closed;
    };
    this.#running = { kill };
    return this;
  }

  /** Resets every connection and stops listening, as a process that dies. */
  async kill(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    await running?.kill();
  }

  async #answer(told: Told): Promise<Record<string, unknown>> {
    this.told.push(told);
    const answer = this.script[told.case] as ((request: unknown) => Awaitable<object>) | undefined;
    return (await (answer?.(told.value) ?? {})) as Record<string, unknown>;
  }

  #stream(call: Stream): void {
    this.streams++;
    this.#open.add(call);
    const closed = (): void => void this.#open.delete(call);
    this.metadata.push(call.metadata);
    call.on("data", (request: StreamRequest) => {
      const { id, event } = request;
      if (event.case === undefined) return;
      const answered = this.#answer(event).then(
        (value) => ({ case: event.case, value }),
        (error: unknown) => ({ case: "error" as const, value: statusOf(error) }),
      );
      void answered.then((answer) => {
        this.beforeAnswer(call, id);
        call.write({ id, answer });
      });
    });
    if (!this.#isReading) call.pause();
    call.on("end", () => call.end());
    call.on("error", closed);
    call.on("close", closed);
    call.on("finish", closed);
    call.on("cancelled", closed);
  }
}

type Unary = grpc.ServerUnaryCall<unknown, unknown>;
type Callback = grpc.sendUnaryData<unknown>;
/** A stream of events, as grpc-js has it. */
export type Stream = grpc.ServerDuplexStream<StreamRequest, unknown>;

function statusOf(error: unknown): { code: grpc.status; message: string } {
  if (error instanceof Refusal) return { code: error.code, message: error.message };
  return { code: grpc.status.UNKNOWN, message: String(error) };
}

function capitalized(hook: string): string {
  return `${hook[0]?.toUpperCase()}${hook.slice(1)}`;
}

/** The service as grpc-js wants it, with messages of protobuf-es. */
export function definition(): grpc.ServiceDefinition {
  const methods = SessionHandler.methods.map((method): [string, grpc.MethodDefinition<unknown, unknown>] => [
    method.name,
    {
      path: `/${SessionHandler.typeName}/${method.name}`,
      requestStream: method.methodKind === "bidi_streaming",
      responseStream: method.methodKind === "bidi_streaming",
      ...codec("request", method.methodKind === "bidi_streaming" ? StreamRequestSchema : method.input),
      ...codec("response", method.methodKind === "bidi_streaming" ? StreamResponseSchema : method.output),
    } as grpc.MethodDefinition<unknown, unknown>,
  ]);
  return Object.fromEntries(methods);
}

function codec(side: string, schema: DescMessage): Record<string, unknown> {
  return {
    [`${side}Serialize`]: (value: object) => Buffer.from(toBinary(schema, create(schema, value as never))),
    [`${side}Deserialize`]: (bytes: Buffer) => fromBinary(schema, bytes),
  };
}
