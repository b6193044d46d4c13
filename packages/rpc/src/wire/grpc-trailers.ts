import type { Metadata } from "../call/metadata.ts";
import type { Status } from "../call/status.ts";
import { encodeMessage } from "./grpc-message.ts";
import { headerValue } from "./metadata-headers.ts";

/**
 * The trailers with which gRPC and gRPC-Web end a call: the status, its details, and the metadata.
 * Source: gRPC over HTTP/2, Trailers.
 */
export function trailersFromStatus(
  { code, message, details }: Status,
  metadata: Metadata,
): Record<string, string | string[]> {
  const trailers: Record<string, string | string[]> = { "grpc-status": String(code) };
  if (message !== "") trailers["grpc-message"] = encodeMessage(message);
  if (details !== undefined) trailers["grpc-status-details-bin"] = base64(details);
  for (const name in metadata) {
    const value = metadata[name] as string | readonly string[];
    trailers[name] = typeof value === "string" ? value : headerValue(name, value);
  }
  return trailers;
}

/** Base64 without padding, as gRPC and Connect want their binary values. */
export function base64(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
  return text.replace(/=+$/, "");
}
