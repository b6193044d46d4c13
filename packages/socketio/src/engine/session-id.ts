import { randomBytes } from "node:crypto";

/** Bytes of chance in an id: 120 bits, which nobody guesses. */
const BYTES = 15;

/** A new id of a session: 20 characters of base64url. Who has it can act for the client, so it is a secret. */
export function createSessionId(): string {
  return randomBytes(BYTES).toString("base64url");
}
