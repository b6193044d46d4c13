import { createServer, connect, type Socket } from "node:net";
import { listen } from "./listen.ts";

/** What stands before the bytes of a client on the one connection to the backend: who it is, and how many there are. */
const headBytes = 8;

/**
 * The floor of a gateway: bare sockets whose bytes go on one connection to a backend, and back from it, without any
 * protocol but lengths. What one turn of the event loop brings leaves for the backend in one write. Resolves to its port.
 */
export function startRelay(backend: string): Promise<number> {
  const [host = "", port = ""] = backend.split(":");
  const upstream = connect({ host, port: Number(port), noDelay: true });
  const clients: Socket[] = [];
  let waiting: Buffer[] = [];
  const flush = (): void => {
    const chunks = waiting;
    waiting = [];
    upstream.cork();
    for (const chunk of chunks) upstream.write(chunk);
    upstream.uncork();
  };
  let held: Buffer | undefined;
  upstream.on("data", (chunk: Buffer) => {
    const bytes = held === undefined ? chunk : Buffer.concat([held, chunk]);
    let at = 0;
    while (at + headBytes <= bytes.length) {
      const end = at + headBytes + bytes.readUInt32BE(at + 4);
      if (end > bytes.length) break;
      clients[bytes.readUInt32BE(at)]?.write(bytes.subarray(at + headBytes, end));
      at = end;
    }
    held = at < bytes.length ? bytes.subarray(at) : undefined;
  });
  return listen(
    createServer({ noDelay: true }, (socket) => {
      const client = clients.push(socket) - 1;
      socket.on("data", (chunk: Buffer) => {
        const head = Buffer.allocUnsafe(headBytes);
        head.writeUInt32BE(client);
        head.writeUInt32BE(chunk.length, 4);
        if (waiting.push(head, chunk) === 2) setImmediate(flush);
      });
      socket.on("error", () => socket.destroy());
    }),
  );
}
