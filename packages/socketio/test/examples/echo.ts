import { once } from "node:events";
import { createServer } from "node:http";
import { Socket } from "engine.io-client";
import { EngineServer } from "@sluice/socketio";

const engine = new EngineServer(
  { allowEIO3: true },
  {
    message: (session, data) => session.send(data),
    close: (session, reason) => {
      console.log(`${session.transport.name}: ${reason}`);
      http.close();
    },
  },
);
const http = createServer((_request, response) => response.end("hello\n"));
engine.attach(http, { path: "/engine.io" });
await once(http.listen(0), "listening");
const { port } = http.address() as { port: number };

// The stock client: it polls, and moves to a WebSocket.
const client = new Socket(`ws://localhost:${port}`);
client.on("upgrade", () => client.send("hello"));
client.on("message", (data) => {
  console.log(data);
  client.close();
});
