import { MultiplexCloseCode } from "./frame.ts";

/** What a peer did against the protocol. It costs the connection, which closes with `code` and the message as reason. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
  /** The close code that the peer is told. */
  readonly code: MultiplexCloseCode;

  constructor(message: string, code: MultiplexCloseCode = MultiplexCloseCode.PROTOCOL_ERROR) {
    super(message);
    this.code = code;
  }
}
