import { readFileSync } from "node:fs";
import { createFileRegistry, equals, fromBinary, fromJson, type JsonValue } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { Exchange } from "./exchange.ts";
import type { ShopCall } from "./shop-calls.ts";

/** How a gateway is asked. */
export type ShopDialect = "rest" | "connect";

/** What every request has, as those of an application do. */
const headers = [
  "Host: api.example.com",
  "User-Agent: bench/1.0",
  "Accept: */*",
  "Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjdXN0b21lci00MiJ9.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
];

/** Makes the exchange of a call. */
export type ExchangeMaker = (call: ShopCall, dialect: ShopDialect, isStream: boolean) => Exchange;

/** What makes exchanges of calls. `descriptors` is the file with the descriptor set of `shop.proto`. */
export function createShopExchanges(descriptors: string): ExchangeMaker {
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(descriptors)));
  const service = registry.getService("sluice.bench.Shop");
  return (call, dialect, isStream) => {
    const output = service?.methods.find(({ name }) => name === call.rpc)?.output;
    if (output === undefined) throw new Error(`there is no method ${call.rpc}`);
    const check = (body: Buffer): void => {
      const replies = repliesOf(body, dialect, isStream);
      if (replies.length !== call.replies.length)
        throw new Error(`${call.rpc}: ${replies.length} messages, not ${call.replies.length}`);
      for (const [index, reply] of replies.entries()) {
        const wanted = call.replies[index] ?? {};
        if (!equals(output, fromJson(output, reply), fromJson(output, wanted)))
          throw new Error(`${call.rpc}: ${JSON.stringify(reply)} is not ${JSON.stringify(wanted)}`);
      }
    };
    const request = dialect === "rest" ? restRequest(call) : connectRequest(call, isStream);
    return new Exchange({ request, messages: call.replies.length, check });
  };
}

function restRequest({ rest: { method, target, body } }: ShopCall): Buffer {
  if (body === undefined) return requestOf(method, target, [], "");
  return requestOf(method, target, ["Content-Type: application/json"], JSON.stringify(body));
}

function connectRequest({ rpc, isSafe, message }: ShopCall, isStream: boolean): Buffer {
  const path = `/sluice.bench.Shop/${rpc}`;
  const json = JSON.stringify(message);
  if (isSafe) {
    const query = `connect=v1&encoding=json&message=${encodeURIComponent(json)}`;
    return requestOf("GET", `${path}?${query}`, [], "");
  }
  const type = isStream ? "application/connect+json" : "application/json";
  const body = isStream ? enveloped(json) : json;
  return requestOf("POST", path, [`Content-Type: ${type}`, "Connect-Protocol-Version: 1"], body);
}

function requestOf(method: string, target: string, more: readonly string[], body: string): Buffer {
  const length = body === "" ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
  const lines = [`${method} ${target} HTTP/1.1`, ...headers, ...more, ...length];
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n${body}`);
}

function enveloped(json: string): string {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(Buffer.byteLength(json), 1);
  return prefix.toString("latin1") + json;
}

function repliesOf(body: Buffer, dialect: ShopDialect, isStream: boolean): readonly JsonValue[] {
  if (!isStream) return [JSON.parse(body.toString()) as JsonValue];
  if (dialect === "connect") return repliesFromEnvelopes(body);
  return body
    .toString()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => (JSON.parse(line) as { readonly result: JsonValue }).result);
}

function repliesFromEnvelopes(body: Buffer): readonly JsonValue[] {
  const replies: JsonValue[] = [];
  for (let at = 0; at < body.length;) {
    const flags = body.readUInt8(at);
    const end = at + 5 + body.readUInt32BE(at + 1);
    const json = JSON.parse(body.toString("utf8", at + 5, end)) as JsonValue;
    if (flags === 0) replies.push(json);
    else if (JSON.stringify(json).includes('"error"'))
      throw new Error(`the stream failed: ${JSON.stringify(json)}`);
    at = end;
  }
  return replies;
}
