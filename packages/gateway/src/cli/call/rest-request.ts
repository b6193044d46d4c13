import { encodeTimeout, parseJson, RpcError, type JsonObject } from "@sluice/rpc";
import type { ClientCallStart } from "./call-client.ts";

/** The headers that say the metadata and the deadline of a call to the REST dialects. */
export function restHeaders({ metadata, timeout }: ClientCallStart): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  if (timeout !== undefined) headers["grpc-timeout"] = encodeTimeout(timeout);
  for (const [name, value] of Object.entries(metadata)) {
    const header = name === "authorization" ? name : `grpc-metadata-${name}`;
    headers[header] = typeof value === "string" ? value : [...value];
  }
  return headers;
}

/** A message as a JSON object. Throws RpcError `json_invalid`. */
export function objectFrom(json: string): JsonObject {
  const value = parseJson(json);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw new RpcError("json_invalid", "a message is a JSON object");
}
