import { once } from "node:events";
import { createServer } from "node:http";
import { Server } from "@sluice/socketio";
import { io as connect } from "socket.io-client";

interface FromClient {
  rename: (name: string, answer: (isTaken: boolean) => void) => void;
}
interface FromServer {
  question: (text: string, answer: (reply: string) => void) => void;
}

/** Who is known, and until when. */
const tokens = new Map([["secret", { until: Date.now() + 3_600_000 }]]);

const http = createServer();
const io = new Server<FromClient, FromServer>(http);
io.use((socket, next) => {
  const known = tokens.get(socket.handshake.auth.token);
  socket.expiresAt = known?.until;
  next(known === undefined ? new Error("who are you?") : undefined);
});
io.on("connection", async (socket) => {
  // Takes its time: what the client sends meanwhile waits for its listener.
  const reply = await socket.timeout(5000).emitWithAck("question", "your name?");
  socket.on("rename", (name, answer) => answer(name === reply));
  socket.on("disconnect", (reason) => {
    console.log(reason);
    void io.close();
  });
});
await once(http.listen(0), "listening");
const { port } = http.address() as { port: number };

const client = connect(`http://localhost:${port}`, { auth: { token: "secret" } });
client.on("question", (_text, answer) => answer("ada"));
console.log(await client.emitWithAck("rename", "ada"));
client.disconnect();
