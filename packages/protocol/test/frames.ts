import { readFrames } from "../src/frame-codec.ts";

/** A frame as it stands on the wire. */
export interface RawFrame {
  readonly type: number;
  readonly flags: number;
  readonly call: number;
  readonly payload: Uint8Array;
}

/** The frames of WebSocket messages. */
export function frames(...messages: readonly Uint8Array[]): RawFrame[] {
  const found: RawFrame[] = [];
  for (const message of messages) {
    readFrames(message, {
      frame: (type, flags, call, payload) => found.push({ type, flags, call, payload }),
    });
  }
  return found;
}
