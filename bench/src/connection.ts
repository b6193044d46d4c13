import { connect, type Socket } from "node:net";

/** The opening handshake of every client here; RFC 6455 section 1.3 has this key. */
function openingHandshake({ target = "/", extensions, protocol }: ConnectionOptions): string {
  const lines = [
    `GET ${target} HTTP/1.1`,
    "Host: 127.0.0.1",
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
  ];
  if (extensions !== undefined) lines.push(`Sec-WebSocket-Extensions: ${extensions}`);
  if (protocol !== undefined) lines.push(`Sec-WebSocket-Protocol: ${protocol}`);
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/** How a client connects. */
export interface ConnectionOptions {
  readonly port: number;
  /** False for the bare `net` subject, which has no handshake. */
  readonly upgrade: boolean;
  /** Path and query of the handshake; default `/`. */
  readonly target?: string;
  /** `Sec-WebSocket-Extensions` to offer. */
  readonly extensions?: string;
  /** `Sec-WebSocket-Protocol` to offer. */
  readonly protocol?: string;
  /** Gets what arrives after the handshake; the bytes are overwritten after the call returns. */
  onBytes(bytes: Buffer): void;
  /** Gets what ends the connection early. */
  onError(error: Error): void;
}

// One read buffer for all connections: everything is handled within the callback.
const readBuffer = Buffer.allocUnsafe(1 << 18);

/** A raw client socket past its opening handshake, without any WebSocket library. */
export function openConnection(options: ConnectionOptions): Promise<Socket> {
  return new Promise((resolve, reject) => {
    let answer = "";
    let open = !options.upgrade;
    const fail = (error: Error): void => {
      reject(error);
      options.onError(error);
    };
    const socket = connect({
      port: options.port,
      host: "127.0.0.1",
      noDelay: true,
      onread: {
        buffer: readBuffer,
        callback: (length) => {
          const bytes = readBuffer.subarray(0, length);
          if (open) {
            options.onBytes(bytes);
            return true;
          }
          answer += bytes.toString("latin1");
          const end = answer.indexOf("\r\n\r\n");
          if (end < 0) return true;
          open = true;
          if (answer.startsWith("HTTP/1.1 101 ")) {
            resolve(socket);
            const behind = answer.length - end - 4;
            if (behind === 0) return true;
            // Not before whoever waits for the socket has it.
            const first = Buffer.from(bytes.subarray(length - behind));
            setImmediate(() => {
              options.onBytes(first);
              socket.resume();
            });
            return false;
          }
          fail(new Error(`the handshake was refused: ${answer.slice(0, answer.indexOf("\r\n"))}`));
          return true;
        },
      },
    });
    socket.on("connect", () => {
      if (options.upgrade) socket.write(openingHandshake(options));
      else resolve(socket);
    });
    socket.on("error", fail);
    socket.on("end", () => fail(new Error("the server closed the connection")));
  });
}
