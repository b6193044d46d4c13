import { RpcError } from "../error.ts";

/** Names and values of a message are in what is said about it, and may be as long as the message. */
const maximumLength = 400;

/** The RpcError for a message that cannot be transcoded, with a sentence of bounded length. */
export function createCodecError(
  code: "json_invalid" | "protobuf_invalid",
  sentence: string,
  cause?: unknown,
): RpcError {
  const shown = sentence.length > maximumLength ? `${sentence.slice(0, maximumLength)}…` : sentence;
  return new RpcError(code, shown, cause);
}
