import { STATUS_CODES, validateHeaderName, validateHeaderValue } from "node:http";
import type { Duplex } from "node:stream";

/** Why an opening handshake was refused, and what the client is answered. */
export interface Refusal {
  /** The HTTP status of the answer, 400 to 599. */
  readonly status: number;
  /** What is wrong and what to do about it; the answer's body. */
  readonly message: string;
  /** Further fields of the answer. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Throws where a refusal cannot be sent: a status out of range, or a field that would break the answer. */
export function checkRefusal({ status, headers = {} }: Refusal): void {
  if (!Number.isInteger(status) || status < 400 || status > 599) {
    throw new RangeError(`the status of a refusal is ${status}: it must be 400 to 599`);
  }
  for (const [name, value] of Object.entries(headers)) {
    validateHeaderName(name);
    validateHeaderValue(name, value);
  }
}

/** Answers an HTTP/1.1 request that stays without an upgrade, and ends the socket. */
export function refuse(socket: Duplex, refusal: Refusal): void {
  checkRefusal(refusal);
  const body = `${refusal.message}\n`;
  const lines = [
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status] ?? "Refused"}`,
    "Connection: close",
    "Content-Type: text/plain; charset=utf-8",
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  for (const [name, value] of Object.entries(refusal.headers ?? {})) lines.push(`${name}: ${value}`);
  socket.on("error", () => socket.destroy());
  socket.once("finish", () => socket.destroy());
  socket.end(`${lines.join("\r\n")}\r\n\r\n${body}`);
}
