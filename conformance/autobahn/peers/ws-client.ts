/** The client of the npm package `ws`: connects to the URL in its argument and echoes until the connection closes. */
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
        onMessage(data as Buffer, isBinary, (reply) => socket.send(reply, { binary: isBinary })),
      );
      socket.on("error", () => {});
      socket.on("close", () => resolve());
    }),
);
