import { BinaryWriter } from "@bufbuild/protobuf/wire";
import type { HttpBody } from "../transcode/http-body.ts";
import type { Transcoder } from "../transcode/transcoder.ts";

/** What goes into a response: text or bytes. */
export type Chunk = string | Uint8Array;

/** How replies are written into a response. `error` undefined: the form has no place for an error after its head. */
export interface ReplyFormat<Reply> {
  /** Makes a reply of a response message; throws RpcError. */
  read(bytes: Uint8Array): Reply;
  /** The content type, known at the latest with the first reply. */
  contentType(first: Reply | undefined): string;
  /** One reply; `index` counts from 0. */
  item(reply: Reply, index: number): Chunk;
  /** What stands at the end, when `count` replies went before. */
  end?(count: number): Chunk;
  /** The error that ends a stream in its middle, from the JSON of its status; `end` follows. */
  error?(status: string, count: number): Chunk;
  /** What may be sent at any time, so that a silent stream is not taken for a dead one. */
  readonly keepAlive?: Chunk;
}

/** The reply alone. */
export function jsonFormat(transcoder: Transcoder): ReplyFormat<string> {
  return {
    read: (bytes) => transcoder.jsonFromResponse(bytes),
    contentType: () => "application/json",
    item: (json) => json,
  };
}

/** A line `{"result":…}` for each reply, and a last line `{"error":…}` if the call fails. */
export function ndjsonFormat(transcoder: Transcoder): ReplyFormat<string> {
  return {
    read: (bytes) => transcoder.jsonFromResponse(bytes),
    contentType: () => "application/x-ndjson",
    item: (json) => `{"result":${json}}\n`,
    error: (status) => `{"error":${status}}\n`,
  };
}

/** One JSON document: an array of what NDJSON has as lines. */
export function jsonArrayFormat(transcoder: Transcoder): ReplyFormat<string> {
  return {
    read: (bytes) => transcoder.jsonFromResponse(bytes),
    contentType: () => "application/json",
    item: (json, index) => `${index === 0 ? "[" : ",\n"}{"result":${json}}`,
    error: (status, count) => `${count === 0 ? "[" : ",\n"}{"error":${status}}`,
    end: (count) => (count === 0 ? "[]\n" : "]\n"),
  };
}

/**
 * Server-Sent Events: a message for each reply with its number as id, an event `error` for a call that failed,
 * an event `end` after all, because an EventSource would otherwise come back.
 * Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export function eventStreamFormat(transcoder: Transcoder): ReplyFormat<string> {
  return {
    read: (bytes) => transcoder.jsonFromResponse(bytes),
    contentType: () => "text/event-stream",
    item: (json, index) => `id: ${index}\ndata: ${json}\n\n`,
    error: (status) => `event: error\ndata: ${status}\n\n`,
    end: () => "event: end\ndata: {}\n\n",
    keepAlive: ": keep-alive\n\n",
  };
}

/** The protobuf bytes of each reply behind their length as a varint, as protobuf's own libraries delimit streams. */
export const delimitedProtobufFormat: ReplyFormat<Uint8Array> = {
  read: (bytes) => bytes,
  contentType: () => "application/x-protobuf; delimited=true",
  item: (bytes) => Buffer.concat([new BinaryWriter().uint32(bytes.length).finish(), bytes]),
};

/** The data of `google.api.HttpBody` replies, with the content type of the first. */
export function httpBodyFormat(transcoder: Transcoder): ReplyFormat<HttpBody> {
  return {
    read: (bytes) => transcoder.httpBodyFromResponse(bytes),
    contentType: (first) => first?.contentType || "application/octet-stream",
    item: ({ data }) => data,
  };
}
