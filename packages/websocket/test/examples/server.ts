import { once } from "node:events";
import { createServer } from "node:http";
import { connectWebSocket, createWebSocketServer } from "@sluice/websocket";

const users = new Map([["Bearer secret", "ada"]]);
const sockets = createWebSocketServer(
  [
    {
      path: "/chat",
      // Before the upgrade: refuse with a status of your own, or let in with what belongs to the connection.
      verify: (request) => {
        const user = users.get(request.headers.authorization ?? "");
        return user === undefined ? { status: 401, message: "Please sign in." } : { data: user };
      },
      handlers: {
        message: (connection, data) => connection.send(`${String(connection.data)}: ${data.toString()}`),
      },
    },
    { path: "/status", heartbeat: false, handlers: { open: (connection) => connection.send("all is well") } },
  ],
  { maxConnectionsPerAddress: 100 },
);

const http = createServer((_request, response) => response.end("hello\n"));
sockets.attach(http);
await once(http.listen(0), "listening");
const { port } = http.address() as { port: number };

await connectWebSocket(`ws://localhost:${port}/chat`).catch((error: unknown) =>
  console.log(String(error).replace(/^.*answered /, "")),
);
await connectWebSocket(`ws://localhost:${port}/chat`, {
  headers: { Authorization: "Bearer secret" },
  handlers: {
    open: (connection) => connection.send("hello"),
    message: (_connection, data) => {
      console.log(data.toString());
      // Everybody is told 1001, and given ten seconds.
      void sockets.close().then(() => http.close());
    },
    close: (_connection, { code }) => console.log(`closed with ${code}`),
  },
});
