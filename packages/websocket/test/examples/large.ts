import { once } from "node:events";
import { createServer } from "node:http";
import { acceptWebSocket, connectWebSocket, type MessageStream } from "@sluice/websocket";

async function measure(message: MessageStream): Promise<void> {
  let bytes = 0;
  for await (const piece of message) bytes += piece.length;
  console.log(`a message of ${bytes} bytes`);
}

// With `stream` instead of `message`, a message is read as it comes, whatever its size.
const handlers = { stream: (_connection: unknown, message: MessageStream) => void measure(message) };
const server = createServer();
server.on("upgrade", (request, socket, head) => acceptWebSocket(request, socket, head, { handlers }));
await once(server.listen(0), "listening");
const { port } = server.address() as { port: number };
const connection = await connectWebSocket(`ws://localhost:${port}/`);
const isBinary = true;
const writer = connection.startMessage(isBinary);
for (let index = 0; index < 100; index++) {
  if (!writer.write(new Uint8Array(100_000))) await connection.ready();
}
writer.end();
connection.close();
server.close();
