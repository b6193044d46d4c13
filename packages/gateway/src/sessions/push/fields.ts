import type { Hub } from "@sluice/hub";
import { invalidField } from "./push-error.ts";

/** Bytes of an idempotency key. */
const maxKeyBytes = 255;

/** Throws a PushError for a name that no room can have. */
export function validateRoom(hub: Hub, room: string): void {
  const { roomNameBytes } = hub.limits;
  if (room === "") throw invalidField("room", "name a room");
  if (Buffer.byteLength(room) > roomNameBytes) throw invalidField("room", `at most ${roomNameBytes} bytes`);
}

/** Throws a PushError for an idempotency key that is too long. */
export function validateKey(key: string): void {
  if (Buffer.byteLength(key) > maxKeyBytes) {
    throw invalidField("idempotency_key", `at most ${maxKeyBytes} bytes`);
  }
}
