/**
 * The echo server of `@sluice/websocket` over HTTP/2 (RFC 8441), which the suite does not speak: a shim takes each of its
 * connections over HTTP/1.1, opens a stream to the server with the same extensions, and passes bytes both ways.
 */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import * as http2 from "node:http2";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { acceptHttp2WebSocket, isHttp2WebSocket } from "@sluice/websocket";
import { echoOptions } from "./sluice-echo.ts";

const server = http2.createServer({ settings: { enableConnectProtocol: true } });
server.on("stream", (stream, headers) => {
  if (isHttp2WebSocket(headers)) acceptHttp2WebSocket(stream, headers, echoOptions);
  else stream.close(http2.constants.NGHTTP2_REFUSED_STREAM);
});
server.listen(0, "127.0.0.1");
await once(server, "listening");

const session = http2.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
await once(session, "remoteSettings");

function pass(request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const key = request.headers["sec-websocket-key"] ?? "";
  const extensions = request.headers["sec-websocket-extensions"];
  const stream = session.request({
    ":method": "CONNECT",
    ":protocol": "websocket",
    ":scheme": "http",
    ":authority": request.headers.host,
    ":path": request.url ?? "/",
    "sec-websocket-version": request.headers["sec-websocket-version"],
    ...(extensions !== undefined && { "sec-websocket-extensions": extensions }),
  });
  socket.on("error", () => stream.close(http2.constants.NGHTTP2_CANCEL));
  socket.on("close", () => stream.close(http2.constants.NGHTTP2_CANCEL));
  stream.on("error", () => socket.destroy());
  stream.on("close", () => socket.end());
  stream.on("response", (headers) => {
    const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
    const lines = [
      headers[":status"] === 200
        ? "HTTP/1.1 101 Switching Protocols"
        : `HTTP/1.1 ${headers[":status"]} Refused`,
      "Upgrade: websocket",
      "Connection: Upgrade",
      `Sec-WebSocket-Accept: ${accept}`,
    ];
    const agreed = headers["sec-websocket-extensions"];
    if (agreed !== undefined) lines.push(`Sec-WebSocket-Extensions: ${agreed}`);
    socket.write(`${lines.join("\r\n")}\r\n\r\n`);
    stream.write(head);
    socket.pipe(stream).pipe(socket);
  });
}

const shim = createServer();
shim.on("upgrade", pass);
shim.listen(0, "127.0.0.1", () => process.send?.({ port: (shim.address() as AddressInfo).port }));
process.on("disconnect", () => process.exit());
