import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { TestContext } from "node:test";

/** A correct opening request over HTTP/1.1, with further fields. */
export function upgradeTo(path: string, fields: Readonly<Record<string, string>> = {}): string {
  const all = {
    Host: "example.com",
    Upgrade: "websocket",
    Connection: "Upgrade",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
    ...fields,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET ${path} HTTP/1.1\r\n${lines.join("")}\r\n`;
}

/** A plain socket to a port, closed when the test ends. */
export async function socketTo(context: TestContext, port: number, host = "127.0.0.1"): Promise<Socket> {
  const socket = connect(port, host);
  socket.on("error", () => {});
  context.after(() => socket.destroy());
  await once(socket, "connect");
  return socket;
}

/** What comes on a socket until the head of an answer is there and, for a refusal, until the socket ends. */
export async function answerOn(socket: Socket): Promise<string> {
  let text = "";
  while (!text.startsWith("HTTP/1.1 101") || !text.includes("\r\n\r\n")) {
    const part: unknown = await Promise.race([once(socket, "data"), once(socket, "close")]);
    const [data] = part as [unknown];
    if (!Buffer.isBuffer(data)) break;
    text += data.toString("latin1");
  }
  return text;
}

/** What a server answers to a request. */
export async function answerTo(
  context: TestContext,
  port: number,
  request: string,
  host?: string,
): Promise<string> {
  const socket = await socketTo(context, port, host);
  socket.write(request);
  return answerOn(socket);
}
