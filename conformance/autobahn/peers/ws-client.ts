/** The client of the npm package `ws`. */
import { WebSocket } from "ws";
import { runClientCases } from "../client-cases.ts";

await runClientCases(
  (url, onMessage) =>
    new Promise((resolve) => {
      const socket = new WebSocket(url, {
        maxPayload: 16 * 1024 * 1024,
        perMessageDeflate: { threshold: 0 },
      });
      socket.on("message", (data, isBinary) =>
        onMessage(data as Buffer, (reply) => socket.send(reply, { binary: isBinary })),
      );
      // The suite breaks the protocol on purpose; what follows is the close.
      socket.on("error", () => {});
      socket.on("close", () => resolve());
    }),
);
