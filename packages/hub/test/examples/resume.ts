import { once } from "node:events";
import { createServer } from "node:http";
import { acceptInto, Hub } from "@sluice/hub";
import { connectWebSocket, type WebSocketConnection } from "@sluice/websocket";

const hub = new Hub({ graceMs: 30_000 });
hub.onAway((session) => {
  console.log(`${session.number} is away`);
  session.send("said meanwhile");
  void connect();
});
hub.onResume((session, { missedMs }) => {
  console.log(`${session.number} is back, after ${missedMs < 30_000 ? "less" : "more"} than 30 seconds`);
  session.send("and this is new");
});
hub.onConnect((session) => session.send("welcome"));

const server = createServer().on("upgrade", acceptInto(hub));
await once(server.listen(0), "listening");
const { port } = server.address() as { port: number };

// The client makes up a secret for its session, and counts what it has had.
const key = crypto.randomUUID().replaceAll("-", "");
let received = 0;
async function connect(): Promise<WebSocketConnection> {
  return connectWebSocket(`ws://localhost:${port}/?resume=${key}&received=${received}`, {
    handlers: {
      message: (connection, data) => {
        console.log(`${++received}: ${data.toString()}`);
        if (received === 1) connection.terminate();
        if (received === 3) void hub.close().then(() => server.close());
      },
    },
  });
}
await connect();
