import { once } from "node:events";
import { createServer } from "node:http";
import { acceptWebSocket, connectWebSocket, type WebSocketHandlers } from "@sluice/websocket";

// One object for all connections: nothing is made for each of them.
const handlers: WebSocketHandlers = {
  message(connection, data, isBinary) {
    if (isBinary) connection.send(data);
    else connection.sendText(data); // the text as its UTF-8, already checked
  },
};

const server = createServer((_request, response) => response.end("hello\n"));
server.on("upgrade", (request, socket, head) => acceptWebSocket(request, socket, head, { handlers }));
await once(server.listen(0), "listening");
const { port } = server.address() as { port: number };
await connectWebSocket(`ws://localhost:${port}/`, {
  handlers: {
    open: (connection) => connection.send("hello"),
    message: (connection, data) => {
      console.log(data.toString());
      connection.close();
    },
    close: (_connection, { code }) => {
      console.log(`closed with ${code}`);
      server.close();
    },
  },
});
