import { IdentityError } from "./identity-error.ts";

/** Bytes of a message with a token beyond those of the token: the JSON around it. */
const aroundBytes = 1024;

/**
 * The token of a client's message: the message itself, or the member `name` of the JSON object that it is.
 * Throws an IdentityError `malformed`.
 */
export function tokenFromMessage(message: string | Uint8Array, name: string, maxTokenBytes: number): string {
  const limit = maxTokenBytes + aroundBytes;
  const bytes = typeof message === "string" ? Buffer.byteLength(message) : message.byteLength;
  if (bytes > limit) {
    throw new IdentityError(
      "malformed",
      `A message with a token has ${bytes} bytes, over the limit of ${limit}`,
    );
  }
  const text = (typeof message === "string" ? message : Buffer.from(message).toString("utf8")).trim();
  if (!text.startsWith("{")) return text;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own words would repeat a part of the token.
    throw new IdentityError("malformed", "A message that should have a token in it is not JSON");
  }
  const token =
    typeof value === "object" && value !== null && Object.hasOwn(value, name)
      ? Reflect.get(value, name)
      : undefined;
  if (typeof token === "string") return token;
  throw new IdentityError(
    "malformed",
    `A message that should have a token in it has no text ${JSON.stringify(name)}`,
  );
}
