import { readFileSync } from "node:fs";
import {
  decodeCredit,
  decodeGoAway,
  decodeHeaders,
  decodeHello,
  decodeOpen,
  decodeStatus,
  encodeCredit,
  encodeEmpty,
  encodeGoAway,
  encodeHeaders,
  encodeHello,
  encodeOpen,
  encodeStatus,
} from "../src/frame-codec.ts";
import { Batch } from "../src/batch.ts";
import { FrameType, type Metadata, type MultiplexLimits, type Settings } from "../src/index.ts";
import type { RawFrame } from "./frames.ts";

type Pairs = readonly (readonly [name: string, value: string])[];

/** A frame as it stands in the vectors. */
export type VectorFrame =
  | { readonly type: "HELLO"; readonly settings: Settings }
  | {
      readonly type: "OPEN";
      readonly call: number;
      readonly encoding: "protobuf" | "json";
      readonly timeout: number;
      readonly method: string;
      readonly metadata: Pairs;
    }
  | { readonly type: "HEADERS"; readonly call: number; readonly metadata: Pairs }
  | { readonly type: "DATA"; readonly call: number; readonly endMessage: boolean; readonly chunk: string }
  | {
      readonly type: "STATUS";
      readonly call: number;
      readonly code: number;
      readonly message: string;
      readonly details: string;
      readonly trailers: Pairs;
    }
  | { readonly type: "CREDIT"; readonly call: number; readonly bytes: number }
  | { readonly type: "HALF_CLOSE" | "CANCEL"; readonly call: number }
  | { readonly type: "PING" | "PONG" }
  | { readonly type: "GO_AWAY"; readonly lastCall: number; readonly reason: string };

/** `frames.json`. */
export interface FrameVector {
  readonly name: string;
  readonly hex: string;
  readonly frames: readonly VectorFrame[];
}

/** `conversations.json`. */
export interface ConversationVector {
  readonly name: string;
  readonly side: "client" | "server";
  readonly limits?: Partial<MultiplexLimits>;
  readonly opens?: number;
  readonly receives: readonly string[];
  readonly closes: number | null;
  readonly sends: readonly VectorFrame[];
}

function read(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), "utf8"));
}

export const frameVectors = read("frames") as readonly FrameVector[];
export const conversationVectors = read("conversations") as readonly ConversationVector[];

/** The bytes of a vector. */
export function bytesFromHex(hex: string): Uint8Array {
  const full = hex.replace(/([0-9a-f]{2})\*(\d+)/g, (_, byte: string, count: string) =>
    byte.repeat(Number(count)),
  );
  return new Uint8Array(Buffer.from(full.replaceAll(" ", ""), "hex"));
}

function metadataFromPairs(pairs: Pairs): Metadata {
  const metadata: Record<string, string[]> = {};
  for (const [name, value] of pairs) {
    const text = name.endsWith("-bin") ? Buffer.from(value, "hex").toString("base64") : value;
    (metadata[name] ??= []).push(text);
  }
  return metadata;
}

function pairsFromMetadata(metadata: Metadata): Pairs {
  return Object.entries(metadata).flatMap(([name, values]) =>
    [values]
      .flat()
      .map((value) => [name, name.endsWith("-bin") ? Buffer.from(value, "base64").toString("hex") : value]),
  ) as unknown as Pairs;
}

/** The bytes of a frame. */
export function encode(frame: VectorFrame): Uint8Array {
  switch (frame.type) {
    case "HELLO":
      return encodeHello(frame.settings);
    case "OPEN": {
      const { timeout, metadata, ...opening } = frame;
      const rest = timeout === 0 ? {} : { timeout };
      return encodeOpen(frame.call, { ...opening, ...rest, metadata: metadataFromPairs(metadata) });
    }
    case "HEADERS":
      return encodeHeaders(frame.call, metadataFromPairs(frame.metadata));
    case "DATA": {
      const chunk = bytesFromHex(frame.chunk);
      const message = new Uint8Array(chunk.length + (frame.endMessage ? 0 : 1));
      message.set(chunk);
      const batch = new Batch();
      batch.addChunk(frame.call, message, 0, chunk.length);
      return batch.take();
    }
    case "STATUS": {
      const status = { code: frame.code, message: frame.message, details: bytesFromHex(frame.details) };
      return encodeStatus(frame.call, status, metadataFromPairs(frame.trailers));
    }
    case "CREDIT":
      return encodeCredit(frame.call, frame.bytes);
    case "GO_AWAY":
      return encodeGoAway(frame.lastCall, frame.reason);
    case "HALF_CLOSE":
    case "CANCEL":
      return encodeEmpty(FrameType[frame.type], frame.call);
    case "PING":
    case "PONG":
      return encodeEmpty(FrameType[frame.type], 0);
  }
}

const names = Object.keys(FrameType) as (keyof typeof FrameType)[];

/** A frame as the vectors have it. */
export function decode({ type: number, flags, call, payload }: RawFrame): VectorFrame {
  const type = names[number - 1] as keyof typeof FrameType;
  switch (type) {
    case "HELLO":
      return { type, settings: decodeHello(payload) };
    case "OPEN": {
      const { encoding, timeout = 0, method, metadata } = decodeOpen(payload)!;
      return { type, call, encoding, timeout, method, metadata: pairsFromMetadata(metadata) };
    }
    case "HEADERS":
      return { type, call, metadata: pairsFromMetadata(decodeHeaders(payload)) };
    case "DATA":
      return { type, call, endMessage: flags === 1, chunk: Buffer.from(payload).toString("hex") };
    case "STATUS": {
      const { status, trailers } = decodeStatus(payload);
      const details = Buffer.from(status.details ?? []).toString("hex");
      const { code, message } = status;
      return { type, call, code, message, details, trailers: pairsFromMetadata(trailers) };
    }
    case "CREDIT":
      return { type, call, bytes: decodeCredit(payload) };
    case "HALF_CLOSE":
    case "CANCEL":
      return { type, call };
    case "PING":
    case "PONG":
      return { type };
    case "GO_AWAY":
      return { type, ...decodeGoAway(payload) };
  }
}
