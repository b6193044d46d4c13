/* oxlint-disable typescript/no-misused-promises, typescript/no-unnecessary-type-arguments, typescript/no-unnecessary-type-parameters --
   What applications write, and the only way to tell types apart. */
// Code of applications, only to be compiled: by `npm run check` against this package, and by types.test.ts against the
// package socket.io, from which it must be told apart by nothing but the line below.
import {
  type BroadcastOperator,
  type DefaultEventsMap,
  type DisconnectReason,
  type Event,
  type ExtendedError,
  type Namespace,
  type RemoteSocket,
  Server,
  type ServerOptions,
  type Socket,
} from "@sluice/socketio";
import { once, type EventEmitter } from "node:events";
import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";

/** `true` where two types are the same, not only compatible. */
type Same<One, Other> =
  (<Type>() => Type extends One ? 1 : 2) extends <Type>() => Type extends Other ? 1 : 2 ? true : false;

/** What untyped code has. */
type Any = ReturnType<typeof JSON.parse>;

/** Compiles where a value has exactly a type. */
function is<Wanted>() {
  return <Given>(given: Given, ..._same: Same<Given, Wanted> extends true ? [] : [never]): Given => given;
}

// --- Without types ---------------------------------------------------------------------------------------------------

const untyped = new Server(createServer(), {
  cors: { origin: "*" },
  pingInterval: 1000,
  transports: ["websocket"],
});

untyped.use((socket, next) => {
  const token: string = socket.handshake.auth.token;
  const from: string | undefined = socket.handshake.headers.origin;
  const room: string | string[] | undefined = socket.handshake.query.room;
  is<string>()(socket.handshake.address);
  is<number>()(socket.handshake.issued);
  is<string>()(socket.handshake.time);
  is<boolean>()(socket.handshake.secure);
  if (token === from || token === room) return next();
  const error: ExtendedError = new Error("no");
  error.data = { code: 7 };
  next(error);
});

untyped.on("connection", (socket) => {
  is<Socket<DefaultEventsMap, DefaultEventsMap, DefaultEventsMap, Any>>()(socket);
  socket.data.name = "ada";
  const name: number = socket.data.name;
  socket.on("anything", (first, second) => {
    is<Any>()(first);
    second(first.of.any.depth, name);
  });
  socket.once("anything", async (...args) => {
    is<Any[]>()(args);
    await socket.join("room");
  });
  socket.on("disconnect", (reason, description) => {
    is<DisconnectReason>()(reason);
    is<Any>()(description);
  });
  socket.on("disconnecting", (reason) => void is<DisconnectReason>()(reason));
  socket.on("error", (error) => void is<Error>()(error));
  is<boolean>()(socket.emit("anything", 1, "two", Buffer.from([3]), (answer: string) => answer));
  socket.emit("anything");
  is<Promise<Any>>()(socket.emitWithAck("anything", 1));
  is<Promise<Any>>()(socket.timeout(100).emitWithAck("anything", 1));
  socket.timeout(100).emit("anything", (error: Error, answer: unknown) => [error, answer]);
  socket.send("one", 2);
  socket.write("one").send("two");
  socket.to("a").to(["b", "c"]).in("d").except("e").emit("anything");
  socket.broadcast.emit("anything", 1);
  socket.broadcast.to("a").volatile.emit("anything", 1);
  socket.broadcast.timeout(10).emit("anything", (error: Error, answers: unknown[]) => [error, answers]);
  socket.local.emit("anything", 1);
  socket.volatile.compress(false).emit("anything", 1);
  socket.volatile.to("a").emit("anything", 1);
  is<typeof socket>()(socket.volatile);
  is<typeof socket>()(socket.compress(true));
  is<typeof socket>()(socket.disconnect(true));
  is<boolean>()(socket.connected);
  is<boolean>()(socket.disconnected);
  is<boolean>()(socket.recovered);
  is<string>()(socket.id);
  is<Set<string>>()(socket.rooms);
  is<void | Promise<void>>()(socket.join(["a", "b"]));
  is<void | Promise<void>>()(socket.leave("a"));
  is<string>()(socket.nsp.name);
  is<string | undefined>()(socket.request.url);
  const transport: string = socket.conn.transport.name;
  is<string>()(transport);
  socket.conn.once("upgrade", () => {});
  socket.conn.on("packet", ({ type, data }) => [type, data]);
  socket.use(([event, ...args], next) => {
    is<string>()(event);
    is<Any[]>()(args);
    next(args.length > 3 ? new Error("too many") : undefined);
  });
  socket.use((event: Event, next: (error?: Error) => void) =>
    next(event[0] === "x" ? new Error("x") : undefined),
  );
  socket.onAny((event, ...args) => [event, args]).prependAny((event) => event);
  socket.offAny().offAny(() => {});
  socket
    .onAnyOutgoing((event: string) => event)
    .prependAnyOutgoing(() => {})
    .offAnyOutgoing();
  is<((...args: Any[]) => void)[]>()(socket.listenersAny());
  is<((...args: Any[]) => void)[]>()(socket.listenersAnyOutgoing());
  socket.removeAllListeners("anything");
  socket.off("anything", () => {});
  is<number>()(socket.listenerCount("anything"));
  const emitter: EventEmitter = socket;
  void once(emitter, "anything");
  // @ts-expect-error A room is a string.
  void socket.join(7);
  // @ts-expect-error A delay is a number.
  socket.timeout("soon");
  // @ts-expect-error Answers come from somebody: a broadcast is not a property that waits.
  void socket.broadcast.then();
});
untyped.on("connect", (socket) => void is<string>()(socket.id));
untyped.on("new_namespace", (namespace) => void is<string>()(namespace.name));

untyped.emit("anything", 1, { two: [3] });
untyped.to("a").except(["b"]).volatile.local.compress(true).emit("anything");
untyped.timeout(100).emit("anything", (error: Error, answers: unknown[]) => [error, answers]);
is<Promise<Any>>()(untyped.timeout(100).emitWithAck("anything"));
untyped.send("one").write("two");
untyped.socketsJoin(["a"]);
untyped.in("a").socketsLeave("a");
untyped.of("/admin").disconnectSockets(true);
untyped.serverSideEmit("anything", 1);
untyped.serverSideEmit("anything", 1, (error: Error, answers: unknown[]) => [error, answers]);
is<Promise<Any[]>>()(untyped.serverSideEmitWithAck("anything", 1));
is<Promise<Set<string>>>()(untyped.allSockets());
is<Promise<RemoteSocket<DefaultEventsMap, Any>[]>>()(untyped.fetchSockets());
void untyped.fetchSockets().then(([socket]) => {
  if (socket === undefined) return;
  is<string>()(socket.id);
  is<Any>()(socket.data);
  is<Set<string>>()(socket.rooms);
  socket.emit("anything", 1);
  socket.join("a");
  socket.leave("a");
  socket.disconnect().disconnect(true);
  is<Promise<Any>>()(socket.timeout(10).emitWithAck("anything"));
});
untyped.of("/chat", (socket) => void is<string>()(socket.id)).on("connection", (socket) => socket.join("a"));
untyped.of(/^\/room-\d+$/).on("connection", (socket) => void is<string>()(socket.nsp.name));
untyped.of((name, auth, next) => next(auth.token === name ? null : new Error("no"), true));
untyped.engine.generateId = (): string => String(Math.random());
untyped.engine.on("connection_error", ({ code, message, context }) => [code, message, context]);
is<number>()(untyped.engine.clientsCount);
is<number>()(untyped.connectTimeout());
is<string>()(untyped.path());
is<boolean>()(untyped.serveClient());
is<typeof untyped>()(untyped.path("/x").serveClient(false).connectTimeout(1000));
is<Promise<void>>()(untyped.close((error?: Error) => void error));
untyped.attach(createSecureServer()).listen(0, { path: "/y" });
void new Server();
void new Server({ path: "/z" });
void new Server(3000, { allowEIO3: true, connectionStateRecovery: { maxDisconnectionDuration: 1000 } });
const options: Partial<ServerOptions> = {
  maxHttpBufferSize: 1e6,
  cookie: true,
  perMessageDeflate: { threshold: 1 },
};
void new Server(options);
// @ts-expect-error An interval is a number.
void new Server({ pingInterval: "often" });

// --- With types -------------------------------------------------------------------------------------------------------

interface FromClient {
  plain: (text: string, count: number) => void;
  nothing: () => void;
  ask: (question: string, answer: (reply: number) => void) => void;
  maybe: (text?: string) => void;
}
interface FromServer {
  news: (title: string, body?: Uint8Array) => void;
  ping: () => void;
  confirm: (question: string, answer: (isSure: boolean) => void) => void;
  risky: (question: string, answer: (error: Error, isSure: boolean) => void) => void;
  done: (answer: () => void) => void;
  several: (answer: (first: string, second: number) => void) => void;
  message: (text: string) => void;
}
interface BetweenServers {
  hello: (name: string) => void;
  count: (answer: (howMany: number) => void) => void;
}
interface Data {
  user: string;
  visits: number;
}
type TypedServer = Server<FromClient, FromServer, BetweenServers, Data>;
type TypedSocket = Socket<FromClient, FromServer, BetweenServers, Data>;
type TypedNamespace = Namespace<FromClient, FromServer, BetweenServers, Data>;

const server: TypedServer = new Server<FromClient, FromServer, BetweenServers, Data>(createServer());
const namespace: TypedNamespace = server.of("/typed");

server.use((socket, next) => {
  is<TypedSocket>()(socket);
  socket.data.user = "ada";
  // @ts-expect-error There is no such thing in the data.
  socket.data.nobody = 1;
  next();
});

function greet(socket: TypedSocket): void {
  is<Data>()(socket.data);
  is<number>()(socket.data.visits);
  socket.on("plain", (text, count) => {
    is<string>()(text);
    is<number>()(count);
  });
  socket.on("ask", (question, answer) => {
    is<string>()(question);
    answer(question.length);
    // @ts-expect-error The answer is a number.
    answer(question);
  });
  socket.on("maybe", (text) => void is<string | undefined>()(text));
  socket.on("nothing", async () => {});
  socket.once("plain", (text) => void is<string>()(text));
  socket.on("disconnect", (reason) => void is<DisconnectReason>()(reason));
  // @ts-expect-error No client sends this.
  socket.on("other", () => {});
  // @ts-expect-error The first argument is a string.
  socket.on("plain", (text: number) => text);

  socket.emit("news", "title");
  socket.emit("news", "title", new Uint8Array(1));
  socket.emit("ping");
  socket.emit("confirm", "sure?", (isSure) => void is<boolean>()(isSure));
  socket.emit("several", (first, second) => [is<string>()(first), is<number>()(second)]);
  socket.send("text");
  // @ts-expect-error Only text is sent.
  socket.send(7);
  // @ts-expect-error The title is missing.
  socket.emit("news");
  // @ts-expect-error No server sends this.
  socket.emit("plain", "text", 1);
  // @ts-expect-error The function for the answer is missing.
  socket.emit("confirm", "sure?");
  // @ts-expect-error Nobody asks for two answers.
  socket.emit("confirm", "sure?", (isSure: boolean, why: string) => [isSure, why]);

  is<Promise<boolean>>()(socket.emitWithAck("confirm", "sure?"));
  is<Promise<boolean>>()(socket.emitWithAck("risky", "sure?"));
  is<Promise<string>>()(socket.emitWithAck("several"));
  is<Promise<undefined>>()(socket.emitWithAck("done"));
  // @ts-expect-error It asks for no answer.
  void socket.emitWithAck("ping");
  // @ts-expect-error The question is missing.
  void socket.emitWithAck("confirm");

  const patient = socket.timeout(1000);
  patient.emit("confirm", "sure?", (error, isSure) => {
    is<Error>()(error);
    is<boolean>()(isSure);
  });
  patient.emit("risky", "sure?", (error, isSure) => [is<Error>()(error), is<boolean>()(isSure)]);
  patient.emit("done", (error) => void is<Error>()(error));
  patient.emit("news", "title");
  is<Promise<boolean>>()(patient.emitWithAck("confirm", "sure?"));
  is<Promise<string>>()(patient.emitWithAck("several"));
  // @ts-expect-error What comes first is the error.
  patient.emit("confirm", "sure?", (isSure: boolean) => isSure);
  socket.emit("confirm", "sure?", (isSure) => void is<boolean>()(isSure));

  socket.broadcast.emit("news", "title");
  socket.to("a").emit("confirm", "sure?", (answers) => void is<boolean[]>()(answers));
  socket.to("a").emit("risky", "sure?", (error, answers) => [is<Error>()(error), is<boolean[]>()(answers)]);
  socket.to("a").emit("several", (answers) => void is<string[]>()(answers));
  socket
    .in("a")
    .except("b")
    .timeout(10)
    .emit("confirm", "sure?", (error, answers) => [is<Error>()(error), is<boolean[]>()(answers)]);
  is<Promise<boolean[]>>()(socket.to("a").timeout(10).emitWithAck("confirm", "sure?"));
  is<Promise<boolean[]>>()(socket.to("a").emitWithAck("risky", "sure?"));
  // @ts-expect-error Only with a timeout is there an error to reject with.
  void socket.to("a").emitWithAck("confirm", "sure?");
  // @ts-expect-error No server sends this.
  socket.broadcast.emit("plain", "text", 1);

  // @ts-expect-error The namespace of a socket says nothing of the events that sockets send.
  socket.nsp.emit("plain", "text", 1);
  socket.nsp.emit("news", "title");
}
server.on("connection", greet);
namespace.on("connection", greet);
server.on("connection", (socket) => void is<TypedSocket>()(socket));
server.of("/typed").on("connect", (socket) => void is<TypedSocket>()(socket));
server.on("new_namespace", (created) => void is<TypedNamespace>()(created));

server.emit("news", "title");
server.send("text");
namespace.emit("ping");
// @ts-expect-error What asks for an answer is emitted with a timeout.
server.emit("confirm", "sure?", () => {});
// @ts-expect-error Nor by a namespace.
namespace.emit("done", () => {});
server
  .timeout(10)
  .emit("confirm", "sure?", (error, answers) => [is<Error>()(error), is<boolean[]>()(answers)]);
server.timeout(10).emit("several", (error, answers) => [is<Error>()(error), is<string[]>()(answers)]);
server
  .to("a")
  .timeout(10)
  .emit("done", (error) => void is<Error>()(error));
server.to("a").emit("confirm", "sure?", (answers) => void is<boolean[]>()(answers));
is<Promise<boolean[]>>()(server.timeout(10).emitWithAck("confirm", "sure?"));
is<Promise<string[]>>()(namespace.timeout(10).emitWithAck("several"));
// @ts-expect-error The question is a string.
void server.timeout(10).emitWithAck("confirm", 7);
// @ts-expect-error It asks for no answer.
void server.timeout(10).emitWithAck("ping");

server.serverSideEmit("hello", "here");
server.serverSideEmit("count", (error, counts) => [is<Error>()(error), is<number[]>()(counts)]);
is<Promise<number[]>>()(server.serverSideEmitWithAck("count"));
server.on("hello", (name) => void is<string>()(name));
server.on("count", (answer) => answer(1));
// @ts-expect-error No server says this.
server.serverSideEmit("news", "title");
// @ts-expect-error Nor hears it.
server.on("news", () => {});

is<Promise<RemoteSocket<FromServer, Data>[]>>()(server.fetchSockets());
void server.fetchSockets().then((sockets) => {
  for (const socket of sockets) {
    is<Data>()(socket.data);
    socket.emit("news", "title");
    is<Promise<boolean>>()(socket.timeout(10).emitWithAck("confirm", "sure?"));
    // @ts-expect-error No server sends this.
    socket.emit("plain", "text", 1);
  }
});
is<Map<string, TypedSocket>>()(server.sockets.sockets);
is<TypedNamespace>()(server.sockets);

// Only some of the types, and types of others' making.
const listening = new Server<FromClient>();
listening.on("connection", (socket) => {
  is<Socket<FromClient, FromClient, DefaultEventsMap, Any>>()(socket);
  socket.emit("plain", "text", 1);
  is<Any>()(socket.data);
});
const both = new Server<DefaultEventsMap, FromServer>();
both.on("connection", (socket) => {
  socket.on("anything", (first) => void is<Any>()(first));
  socket.emit("news", "title");
  // @ts-expect-error The title is a string.
  socket.emit("news", 1);
});

function broadcastTo(everybody: BroadcastOperator<FromServer, Data>): void {
  everybody.to("a").emit("news", "title");
  is<BroadcastOperator<FromServer, Data>>()(everybody.volatile.local.compress(false).in("a").except("b"));
}
void broadcastTo;

/** Where events are a type parameter. */
function relay<Events extends Record<string, (...args: Any[]) => void>>(socket: Socket<Events>): void {
  socket.on("disconnect", (reason) => void is<DisconnectReason>()(reason));
  socket.onAny((name, ...args) => [name, args]);
}
void relay;

/** Where the name of an event is one. */
function tell<Name extends keyof FromServer>(
  socket: TypedSocket,
  name: Name,
  ...args: Parameters<FromServer[Name]>
): boolean {
  return socket.emit(name, ...args);
}
void tell;

function anySocket(socket: Socket): string {
  return socket.id;
}
untyped.on("connection", (socket) => anySocket(socket));
server.on("connection", (socket) => anySocket(socket));
const anyServer: Server = server;
void anyServer;
