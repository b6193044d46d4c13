import { once } from "node:events";
import { createServer } from "node:http";
import { acceptInto, Hub, roomsByPattern } from "@sluice/hub";
import { connectWebSocket } from "@sluice/websocket";

const hub = new Hub({
  rooms: roomsByPattern({
    "chat:*": { presence: true, history: { size: 100, ttlMs: 300_000 } },
    "price:*": { slow: "latest" },
  }),
});
hub.onConnect(async (session) => {
  const { epoch, offset } = await session.join("chat:lobby");
  session.send(`you are at ${offset} of ${epoch === "" ? "nothing" : "the lobby"}`);
});
hub.onRoom(({ room, session, change }) => console.log(`${session.number} ${change} ${room}`));
hub.onMessage((session, text) => hub.publish("chat:lobby", text, { except: session.id }));

const server = createServer().on("upgrade", acceptInto(hub));
await once(server.listen(0), "listening");
const { port } = server.address() as { port: number };
async function lookBack(): Promise<void> {
  const { sessions, users } = hub.presence("chat:lobby");
  console.log(`${sessions} sessions of ${users} users`);
  const { publications } = await hub.history("chat:lobby", { limit: 10 });
  console.log(publications.map(({ offset, message }) => `${offset}: ${String(message.data)}`).join());
  await hub.close();
  server.close();
}

await connectWebSocket(`ws://localhost:${port}/`, {
  handlers: {
    message: (_connection, data) => {
      console.log(data.toString());
      if (data.toString() === "hello") void lookBack();
    },
  },
});
await connectWebSocket(`ws://localhost:${port}/`, {
  handlers: {
    message: (connection, data) => {
      if (data.toString().startsWith("you are")) connection.send("hello");
    },
  },
});
