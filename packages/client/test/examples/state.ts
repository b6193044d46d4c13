import { Connection, createJsonClient } from "@sluice/client";
import { createTransport } from "@sluice/client/connect";
import { EventWebSocket } from "@sluice/websocket";

const connection = new Connection({
  url: process.env["GATEWAY"] ?? "wss://api.example.com",
  webSocket: EventWebSocket,
});
const stop = connection.subscribe((state) => {
  if (state.kind === "waiting") console.log(`offline, next attempt in ${state.delayMs} ms: ${state.reason}`);
  else console.log(state.kind);
});

// Clients of both kinds on the same WebSocket.
const transport = createTransport({ connection });
const client = createJsonClient({ connection });
console.log(transport.connection === client.connection);

await client.call("sluice.test.v1.Echo/Say", { text: "hello" });
stop();
connection.close();
