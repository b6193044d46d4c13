import { createServer } from "node:http";
import { acceptInto, Hub } from "@sluice/hub";

const hub = new Hub();
hub.onConnect((session) => hub.broadcastOthers(`${session.number} came`, session));
hub.onMessage((session, text) => hub.broadcast(`${session.number}: ${text}`));
hub.onDisconnect((session) => hub.broadcast(`${session.number} left`));

const port = Number(process.env["PORT"] ?? 8080);
createServer()
  .on("upgrade", acceptInto(hub))
  .listen(port, () => console.log(`a chat at ws://localhost:${port}`));
