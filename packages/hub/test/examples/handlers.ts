import { once } from "node:events";
import { createServer } from "node:http";
import { acceptInto, Hub } from "@sluice/hub";
import { connectWebSocket } from "@sluice/websocket";

const hub = new Hub();
hub.onConnect((session) => {
  session.state.set("name", new URLSearchParams(session.request.query).get("name") ?? "nobody");
});
hub.onMessage((session, text) => {
  if (text === "who?") {
    session.send([...hub.sessions].map(({ state }) => state.get("name")).join(", "));
    session.ping();
  } else if (text === "bye") session.close(1000, "see you");
  else throw new Error(`nobody understands "${text}"`);
});
hub.onMessageBinary((session, bytes) => session.send(bytes.toReversed()));
hub.onSentMessage((_session, text) => console.log(`sent "${text}"`));
hub.onSentMessageBinary((_session, bytes) => console.log(`sent ${bytes.length} bytes`));
hub.onPong((session) => console.log(`${session.state.get("name")} lives`));
hub.onError((session, error) => console.log(`${session?.state.get("name")}: ${String(error)}`));
hub.onClose((_session, code) => console.log(`closed by the client with ${code}`));
hub.onDisconnect((session, { code, reason }) => {
  console.log(`${session.state.get("name")} is gone: ${code} ${reason}`);
});

const server = createServer().on("upgrade", acceptInto(hub));
await once(server.listen(0), "listening");
const { port } = server.address() as { port: number };
const ada = await connectWebSocket(`ws://localhost:${port}/?name=ada`);
const grace = await connectWebSocket(`ws://localhost:${port}/?name=grace`, {
  handlers: {
    message: (connection, _data, isBinary) => {
      if (!isBinary) connection.send(Uint8Array.of(1, 2, 3));
      else ada.close(1000);
    },
    close: () => void hub.close().then(() => server.close()),
  },
});
hub.onDisconnect((session) => {
  if (session.state.get("name") === "ada") grace.send("bye");
});
grace.send("hello?");
grace.send("who?");
