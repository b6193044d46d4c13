/**
 * The client under test, as the suite starts it: reads ClientCompatRequests from stdin, makes the calls that they tell
 * with Connect-ES over the WebSocket of a gateway before the server that they name, and writes ClientCompatResponses.
 *
 * FORMAT is what travels on the WebSocket, `protobuf` or `JSON`. DESCRIPTORS is the descriptor set of the suite's
 * `.proto` files.
 */
import { create, fromBinary, toBinary, type DescMessage, type DescService } from "@bufbuild/protobuf";
import { createTransport, type MultiplexTransport } from "@sluice/client/connect";
import { createLogger, Gateway } from "@sluice/gateway";
import { createHttp2Backend, loadDescriptorSets } from "@sluice/rpc";
import { EventWebSocket } from "@sluice/websocket";
import { invoke } from "./invoke.ts";
import { readMessages, writeMessage } from "./messages.ts";
import type { ClientCompatRequest } from "./types.ts";

const schema = await loadDescriptorSets([environment("DESCRIPTORS")]);
const useBinaryFormat = environment("FORMAT") === "protobuf";
const requestType = typeOf("ClientCompatRequest");
const responseType = typeOf("ClientCompatResponse");

function environment(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set; run this with npm run conformance:multiplex`);
  return value;
}

function typeOf(name: string): DescMessage {
  const type = schema.registry.getMessage(`connectrpc.conformance.v1.${name}`);
  if (type === undefined) throw new Error(`${name} is not in the suite's protos`);
  return type;
}

function serviceOf(name: string): DescService {
  const service = schema.registry.getService(name);
  if (service === undefined) throw new Error(`${name} is not in the suite's protos`);
  return service;
}

/** A gateway before one server, and the transports to it by their limit of messages. */
interface Route {
  readonly gateway: Gateway;
  readonly url: string;
  readonly transports: Map<number, MultiplexTransport>;
}

const routes = new Map<string, Promise<Route>>();

async function startRoute(target: string): Promise<Route> {
  const backend = createHttp2Backend(target);
  const gateway = new Gateway({
    upstreams: [{ name: target, backend, loadSchema: () => Promise.resolve(schema) }],
    log: createLogger("silent"),
  });
  const { address, port } = await gateway.start("127.0.0.1", 0);
  return { gateway, url: `ws://${address}:${port}`, transports: new Map() };
}

async function transportFor({
  host,
  port,
  messageReceiveLimit,
}: ClientCompatRequest): Promise<MultiplexTransport> {
  const target = `${host}:${port}`;
  let route = routes.get(target);
  if (route === undefined) {
    route = startRoute(target);
    routes.set(target, route);
  }
  const { url, transports } = await route;
  let transport = transports.get(messageReceiveLimit);
  if (transport === undefined) {
    transport = createTransport({
      url,
      webSocket: EventWebSocket,
      useBinaryFormat,
      jsonOptions: { registry: schema.registry },
      ...(messageReceiveLimit === 0 ? {} : { limits: { maxMessageBytes: messageReceiveLimit } }),
    });
    transports.set(messageReceiveLimit, transport);
  }
  return transport;
}

async function answer(bytes: Uint8Array): Promise<void> {
  const request = fromBinary(requestType, bytes) as ClientCompatRequest;
  const { testName, service = "connectrpc.conformance.v1.ConformanceService" } = request;
  let result: object;
  try {
    const response = await invoke(await transportFor(request), serviceOf(service), request, schema.registry);
    result = { case: "response", value: create(typeOf("ClientResponseResult"), response) };
  } catch (error) {
    result = { case: "error", value: create(typeOf("ClientErrorResult"), { message: String(error) }) };
  }
  writeMessage(process.stdout, toBinary(responseType, create(responseType, { testName, result })));
}

const running = new Set<Promise<void>>();
for await (const bytes of readMessages(process.stdin)) {
  const work = answer(bytes).finally(() => running.delete(work));
  running.add(work);
  if (running.size >= 16) await Promise.race(running);
}
await Promise.all(running);
for (const route of routes.values()) {
  const { gateway, transports } = await route;
  for (const transport of transports.values()) transport.close();
  await gateway.close(0);
}
