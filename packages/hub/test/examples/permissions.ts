import { once } from "node:events";
import { createServer } from "node:http";
import { acceptInto, CloseCode, Hub } from "@sluice/hub";
import { connectWebSocket } from "@sluice/websocket";

const users = new Map([["secret", "ada"]]);
const hub = new Hub({
  // Whether a client is let in, and as whom. May take its time, up to `limits.openingMs`.
  admit: ({ request }) => {
    const user = users.get(new URLSearchParams(request.query).get("key") ?? "");
    return user === undefined
      ? { code: CloseCode.DENIED, reason: "no such key" }
      : { identity: { user, claims: { rooms: ["news"] } } };
  },
  // Whether a client may do what it asks for on its wire. Without this, it may do nothing but send messages.
  authorize: ({ user }, action, target) => user === "ada" && action === "join" && target === "news",
});

const server = createServer().on("upgrade", acceptInto(hub));
await once(server.listen(0), "listening");
const { port } = server.address() as { port: number };
const options = { protocols: ["sluice.session.v1"] };
await connectWebSocket(`ws://localhost:${port}/?key=guess`, {
  ...options,
  handlers: {
    open: (connection) => connection.send('{"connect":{}}'),
    close: (_connection, { code, reason }) => console.log(`${code} ${reason}`),
  },
});
await connectWebSocket(`ws://localhost:${port}/?key=secret`, {
  ...options,
  handlers: {
    open: (connection) => connection.send('{"connect":{}}'),
    message: (connection, data) => {
      const told = JSON.parse(data.toString()) as { connected?: object; id?: number };
      if (told.connected !== undefined) {
        connection.send('{"join":"news","id":1}');
        connection.send('{"publish":"news","data":"mine","id":2}');
      } else if (told.id === 1) {
        console.log("joined");
      } else {
        console.log(data.toString());
        void hub.close().then(() => server.close());
      }
    },
  },
});
