import { once } from "node:events";
import { createServer } from "node:http";
import { acceptWebSocket, connectWebSocket, MessageInbox, type WebSocketConnection } from "@sluice/websocket";

async function serve(inbox: MessageInbox, connection: WebSocketConnection): Promise<void> {
  // A loop that is slow holds up the peer; the loop ends when the connection does.
  for await (const { data } of inbox) connection.send(data.toString().toUpperCase());
}

const server = createServer();
server.on("upgrade", (request, socket, head) => {
  const inbox = new MessageInbox();
  const connection = acceptWebSocket(request, socket, head, { handlers: inbox, protocols: ["upper"] });
  if (connection !== undefined) void serve(inbox, connection);
});
await once(server.listen(0), "listening");
const { port } = server.address() as { port: number };
const inbox = new MessageInbox();
const connection = await connectWebSocket(`ws://localhost:${port}/`, {
  handlers: inbox,
  protocols: ["upper"],
  signal: AbortSignal.timeout(5000),
});
connection.send("one");
connection.send("two");
for await (const { data } of inbox) {
  console.log(data.toString());
  if (data.toString() === "TWO") connection.close(1000, "thanks");
}
server.close();
