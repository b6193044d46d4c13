import { envelopeRows } from "./envelope-rows.ts";
import { grpcWebSocketsRows } from "./grpc-websockets-rows.ts";
import { headRows } from "./head-rows.ts";
import { http1Rows } from "./http1-rows.ts";
import { http2Rows } from "./http2-rows.ts";
import { jsonRows } from "./json-rows.ts";
import { multiplexRows } from "./multiplex-rows.ts";
import type { Row } from "./row.ts";
import { webSocketRows } from "./web-socket-rows.ts";

/** Every bad input there is, by what it is bad in. */
export const tables: Readonly<Record<string, readonly Row[]>> = {
  JSON: jsonRows,
  messages: envelopeRows,
  heads: headRows,
  "HTTP/1.1": http1Rows,
  "HTTP/2": http2Rows,
  WebSockets: webSocketRows,
  "grpc-websockets": grpcWebSocketsRows,
  multiplex: multiplexRows,
};
