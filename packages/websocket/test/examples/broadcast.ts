import { once } from "node:events";
import { createServer } from "node:http";
import {
  acceptWebSocket,
  connectWebSocket,
  PreparedMessage,
  type WebSocketConnection,
} from "@sluice/websocket";

const room = new Set<WebSocketConnection>();
const options = {
  compression: { threshold: 256 },
  handlers: {
    open: (connection: WebSocketConnection) => void room.add(connection),
    close: (connection: WebSocketConnection) => void room.delete(connection),
  },
};

function publish(text: string): void {
  // Encoded once, and compressed once for all connections that agreed to the same.
  const message = new PreparedMessage(text);
  for (const connection of room) {
    if (!connection.send(message)) connection.close(1013, "too slow");
  }
}

const server = createServer();
server.on("upgrade", (request, socket, head) => acceptWebSocket(request, socket, head, options));
await once(server.listen(0), "listening");
const { port } = server.address() as { port: number };
let received = 0;
const handlers = {
  message(connection: WebSocketConnection, data: Buffer) {
    connection.close();
    console.log(`${++received}: ${data.toString()}`);
    if (received === 3) server.close();
  },
};
for (let index = 0; index < 3; index++) await connectWebSocket(`ws://localhost:${port}/`, { handlers });
publish("to all");
