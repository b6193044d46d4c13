/** The echo server of the npm package `ws`, to validate the harness with a peer whose results are known. */
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";

const server = new WebSocketServer({
  port: 0,
  host: "127.0.0.1",
  maxPayload: 16 * 1024 * 1024,
  perMessageDeflate: { threshold: 0 },
});
server.on("connection", (socket) => {
  socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
  // The suite breaks the protocol on purpose; ws has answered by then.
  socket.on("error", () => {});
});
server.on("listening", () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on("disconnect", () => process.exit());
