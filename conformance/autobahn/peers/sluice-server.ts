/** The echo server of `@sluice/websocket`. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { acceptWebSocket } from "@sluice/websocket";
import { echoOptions } from "./sluice-echo.ts";

const server = createServer();
server.on("upgrade", (request, socket, head) => acceptWebSocket(request, socket, head, echoOptions));
server.listen(0, "127.0.0.1", () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on("disconnect", () => process.exit());
