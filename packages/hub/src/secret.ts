import { randomFillSync } from "node:crypto";

/** Random bytes are drawn for so many ids at once: one by one, the call costs more than all else of a session. */
const POOL_BYTES = 4096;
const pool = Buffer.allocUnsafeSlow(POOL_BYTES);
let used = POOL_BYTES;

/** A text that nobody can guess, of `A-Z a-z 0-9 _ -`: 22 characters for the default of 16 bytes. */
export function createSecret(bytes = 16): string {
  if (used + bytes > POOL_BYTES) {
    randomFillSync(pool);
    used = 0;
  }
  const secret = pool.toString("base64url", used, used + bytes);
  pool.fill(0, used, used + bytes);
  used += bytes;
  return secret;
}
