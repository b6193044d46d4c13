import { once } from "node:events";
import { createServer } from "node:http";
import { Server } from "@sluice/socketio";
import { io as connect } from "socket.io-client";

const http = createServer();
const io = new Server(http);
io.use((socket, next) => {
  socket.data.name = socket.handshake.auth.name;
  next(socket.data.name === undefined ? new Error("who are you?") : undefined);
});
io.on("connection", (socket) => {
  void socket.join("lobby");
  socket.on("say", (text, answer) => {
    socket.to("lobby").emit("said", socket.data.name, text);
    answer("seen");
  });
});
await once(http.listen(0), "listening");

// The stock client.
const { port } = http.address() as { port: number };
const ada = connect(`http://localhost:${port}`, { auth: { name: "ada" } });
const grace = connect(`http://localhost:${port}`, { auth: { name: "grace" } });
await Promise.all(
  [ada, grace].map((client) => new Promise<void>((resolve) => client.on("connect", resolve))),
);
const heard = new Promise<void>((resolve) => {
  grace.on("said", (name, text) => {
    console.log(`${name}: ${text}`);
    resolve();
  });
});
console.log(await ada.emitWithAck("say", "hello"));
await heard;
ada.close();
grace.close();
await io.close();
