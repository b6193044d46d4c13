/** The client of `@sluice/websocket` with default options, but for what the suite's cases need: size and compression. */
import { connectWebSocket, type WebSocketHandlers } from "@sluice/websocket";
import { runClientCases } from "../client-cases.ts";

const limits = { maxMessageBytes: 16 * 1024 * 1024 };
const compression = { threshold: 0 };

await runClientCases(
  (url, onMessage) =>
    new Promise((resolve, reject) => {
      const handlers: WebSocketHandlers = {
        message: (connection, data, isBinary) => {
          onMessage(data, (reply) => (isBinary ? connection.send(reply) : connection.sendText(reply)));
        },
        close: () => resolve(),
      };
      connectWebSocket(url, { limits, compression, handlers }).catch(reject);
    }),
);
