import type * as grpc from "@grpc/grpc-js";
import { Metadata, status as Code } from "@grpc/grpc-js";
import { echoProtoPath, loadDefinition, serializerOf } from "./definition.ts";

interface Text {
  text: string;
}

interface Indexed extends Text {
  index: number;
}

interface RepeatRequest extends Text {
  count: number;
  interval_ms: number;
}

interface FailRequest {
  status: { code: grpc.StatusObject["code"]; message: string; details: object[] } | null;
  trailers: Record<string, string>;
  after: number;
}

interface MetadataRequest {
  headers: Record<string, string>;
  trailers: Record<string, string>;
}

interface MetadataReply {
  metadata: Record<string, { values: string[] }>;
  timeout_ms?: number;
}

interface SendRequest {
  size: number;
  count: number;
}

interface SendReply {
  data: Buffer;
}

/** What grpc-js makes a status of when a call ends with it. */
interface Failure extends Partial<grpc.StatusObject> {
  name: string;
  message: string;
}

/** Handlers by method name, as `Server.addService` takes them. */
export type Handlers = grpc.UntypedServiceImplementation;

function metadataFrom(entries: Record<string, string>): Metadata {
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(entries)) {
    metadata.add(key, key.endsWith("-bin") ? Buffer.from(value, "base64") : value);
  }
  return metadata;
}

function failureFrom(request: FailRequest): Failure {
  const status = request.status ?? { code: Code.UNKNOWN, message: "", details: [] };
  const metadata = metadataFrom(request.trailers);
  if (status.details.length > 0) {
    const serialize = serializerOf(loadDefinition(echoProtoPath), "google.rpc.Status");
    metadata.set("grpc-status-details-bin", serialize(status));
  }
  return {
    name: "Failure",
    message: status.message,
    code: status.code,
    details: status.message,
    metadata,
  };
}

/** Resolves after `ms`, or at once when the call is cancelled. */
function pause(call: grpc.ServerWritableStream<unknown, unknown>, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      call.off("cancelled", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    call.on("cancelled", done);
  });
}

/** Resolves when the stream takes more, or when the call is cancelled. */
function room(call: grpc.ServerWritableStream<unknown, unknown>): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      call.off("drain", done);
      call.off("cancelled", done);
      resolve();
    };
    call.on("drain", done);
    call.on("cancelled", done);
  });
}

async function repeat(call: grpc.ServerWritableStream<RepeatRequest, Indexed>): Promise<void> {
  const { text, count, interval_ms } = call.request;
  const end = count === 0 ? Infinity : count;
  for (let index = 0; index < end; index++) {
    if (index > 0 && interval_ms > 0) await pause(call, interval_ms);
    if (call.cancelled) return;
    if (!call.write({ text, index })) await room(call);
  }
  call.end();
}

async function send(call: grpc.ServerWritableStream<SendRequest, SendReply>): Promise<void> {
  const { size, count } = call.request;
  const reply = { data: Buffer.alloc(size, "sluice") };
  const end = count === 0 ? Infinity : count;
  for (let index = 0; index < end; index++) {
    if (call.cancelled) return;
    if (!call.write(reply)) await room(call);
  }
  call.end();
}

const say: grpc.handleUnaryCall<Text, Text> = (call, reply) => reply(null, { text: call.request.text });

const collect: grpc.handleClientStreamingCall<Text, { texts: string[] }> = (call, reply) => {
  const texts: string[] = [];
  call.on("data", (message: Text) => texts.push(message.text));
  call.on("end", () => reply(null, { texts }));
};

const converse: grpc.handleBidiStreamingCall<Text, Indexed> = (call) => {
  let index = 0;
  call.on("data", ({ text }: Text) => {
    if (call.write({ text, index: index++ })) return;
    call.pause();
    call.once("drain", () => call.resume());
  });
  call.on("end", () => call.end());
};

const fail: grpc.handleUnaryCall<FailRequest, Text> = (call, reply) => reply(failureFrom(call.request));

const failLater: grpc.handleServerStreamingCall<FailRequest, Indexed> = (call) => {
  for (let index = 0; index < call.request.after; index++) call.write({ text: "before the failure", index });
  call.emit("error", failureFrom(call.request));
};

const metadata: grpc.handleUnaryCall<MetadataRequest, MetadataReply> = (call, reply) => {
  const answer: MetadataReply = { metadata: {} };
  for (const [key, value] of Object.entries(call.metadata.toHttp2Headers())) {
    answer.metadata[key] = { values: [value ?? []].flat().map(String) };
  }
  const deadline = call.getDeadline();
  if (deadline !== Infinity) answer.timeout_ms = Number(deadline) - Date.now();
  if (Object.keys(call.request.headers).length > 0) call.sendMetadata(metadataFrom(call.request.headers));
  reply(null, answer, metadataFrom(call.request.trailers));
};

const sleep: grpc.handleUnaryCall<object, object> = () => {};

const receive: grpc.handleClientStreamingCall<SendReply, { messages: number; bytes: number }> = (
  call,
  reply,
) => {
  let messages = 0;
  let bytes = 0;
  call.on("data", ({ data }: SendReply) => {
    messages++;
    bytes += data.length;
  });
  call.on("end", () => reply(null, { messages, bytes }));
};

const large: grpc.handleUnaryCall<SendRequest, SendReply> = (call, reply) =>
  reply(null, { data: Buffer.alloc(call.request.size, "sluice") });

/** The handlers of `sluice.test.v1.Echo`; what they do is said in echo.proto. */
export const echoHandlers: Handlers = {
  Say: say,
  Repeat: (call: Parameters<typeof repeat>[0]) => void repeat(call),
  Collect: collect,
  Converse: converse,
  Fail: fail,
  FailLater: failLater,
  Metadata: metadata,
  Sleep: sleep,
  Send: (call: Parameters<typeof send>[0]) => void send(call),
  Receive: receive,
  Large: large,
};
