import { once } from "node:events";
import { createServer } from "node:http";
import { Server } from "@sluice/socketio";
import { io as connect } from "socket.io-client";

const http = createServer();
const io = new Server(http, { connectionStateRecovery: {} });
io.on("connection", (socket) => {
  if (!socket.recovered) void socket.join(["news", String(socket.handshake.query.city)]);
});
await once(http.listen(0), "listening");
const { port } = http.address() as { port: number };

const clients = ["paris", "oslo"].map((city) => {
  const client = connect(`http://localhost:${port}`, { query: { city }, reconnectionDelay: 1 });
  client.on("rain", (where) => console.log(`${city} hears of rain in ${where}`));
  client.on("weather", (answer) => answer(city === "oslo" ? "snow" : "sun"));
  return client;
});
await Promise.all(clients.map((client) => new Promise<void>((resolve) => client.on("connect", resolve))));
const [paris, oslo] = clients;

// Who is in two of the rooms has it once.
io.to("paris").to("nowhere").emit("rain", "paris");
const answers: string[] = await io.to("news").timeout(1000).emitWithAck("weather");
console.log(answers.toSorted());

// What a client misses while its connection is lost, it has when it is back.
const [socket] = await io.in("oslo").fetchSockets();
oslo?.io.engine.close();
io.to("news").except("paris").emit("rain", "bergen");
await new Promise<void>((resolve) => oslo?.once("rain", () => resolve()));
console.log(oslo?.recovered, oslo?.id === socket?.id);
paris?.close();
oslo?.close();
await io.close();
