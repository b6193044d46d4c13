import { after } from "node:test";
import { createTransport, type MultiplexTransport } from "@sluice/client/connect";
import { EventWebSocket } from "@sluice/websocket";
import { WebSocket } from "ws";
import { describeDialect } from "./rpc-suite.ts";

const transports: MultiplexTransport[] = [];
after(() => {
  for (const transport of transports) transport.close();
});

// The same clients, and the same tests, as over HTTP.
for (const useBinaryFormat of [true, false]) {
  for (const webSocket of [EventWebSocket, WebSocket]) {
    const format = useBinaryFormat ? "protobuf" : "JSON";
    describeDialect(`Connect-ES with ${format} over one WebSocket (${webSocket.name})`, {
      isDuplex: true,
      createTransport: ({ baseUrl, jsonOptions }) => {
        const transport = createTransport({ url: baseUrl, webSocket, jsonOptions, useBinaryFormat });
        transports.push(transport);
        return transport;
      },
    });
  }
}
