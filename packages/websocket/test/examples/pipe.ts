import { once } from "node:events";
import { createServer } from "node:http";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { createGunzip, createGzip } from "node:zlib";
import { acceptWebSocket, connectWebSocket, WebSocketDuplex } from "@sluice/websocket";

const server = createServer();
server.on("upgrade", (request, socket, head) => {
  const stream = new WebSocketDuplex();
  acceptWebSocket(request, socket, head, { handlers: stream.handlers });
  void text(stream.pipe(createGunzip())).then(console.log);
});
await once(server.listen(0), "listening");
const { port } = server.address() as { port: number };
const stream = new WebSocketDuplex();
await connectWebSocket(`ws://localhost:${port}/`, { handlers: stream.handlers });
Readable.from(["a stream ", "of bytes"]).pipe(createGzip()).pipe(stream);
stream.resume().on("end", () => server.close());
