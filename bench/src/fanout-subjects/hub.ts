import { createServer } from "node:http";
import { acceptInto, Hub } from "@sluice/hub";
import { listenOnFreePort, type FanoutSubject } from "../fanout-subject.ts";

/** `@sluice/hub` with its defaults. Clients with raw messages are let into the room; those on the session wire ask for it. */
export function createHubSubject(): FanoutSubject {
  const hub = new Hub({ authorize: () => true });
  hub.onConnect(async (session) => {
    if (session.face === "websocket") await session.join("lobby");
  });
  const server = createServer();
  server.on("upgrade", acceptInto(hub));
  return {
    listen: () => listenOnFreePort(server),
    publish(messages) {
      for (const message of messages)
        void hub.publish("lobby", { data: JSON.stringify(message), isJson: true });
    },
    members: () => hub.presence("lobby").sessions,
  };
}
