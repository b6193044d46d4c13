import { randomFillSync } from "node:crypto";

/** Bytes of chance in an id: 120 bits, which nobody guesses. */
const BYTES = 15;

/** For many ids: to ask the system costs far more than the bytes do. */
const chance = Buffer.allocUnsafeSlow(256 * BYTES);
let used = chance.length;

/** A new id of a session: 20 characters of base64url. Who has it can act for the client, so it is a secret. */
export function createSessionId(): string {
  if (used === chance.length) {
    randomFillSync(chance);
    used = 0;
  }
  const from = used;
  used += BYTES;
  return chance.toString("base64url", from, used);
}
