/** The echo server of `@sluice/websocket` with default options, but for what the suite's cases need: size and compression. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { acceptWebSocket, type AcceptOptions } from "@sluice/websocket";

const options: AcceptOptions = {
  limits: { maxMessageBytes: 16 * 1024 * 1024 },
  compression: { threshold: 0 },
  handlers: {
    message: (connection, data, isBinary) => {
      if (isBinary) connection.send(data);
      else connection.sendText(data);
    },
  },
};
const server = createServer();
server.on("upgrade", (request, socket, head) => acceptWebSocket(request, socket, head, options));
server.listen(0, "127.0.0.1", () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on("disconnect", () => process.exit());
