import { createClient } from "@connectrpc/connect";
import { createTransport } from "@sluice/client/connect";
import { EventWebSocket } from "@sluice/websocket";
import { Echo } from "../generated/echo_pb.ts"; // made by protoc-gen-es

const transport = createTransport({
  url: process.env["GATEWAY"] ?? "wss://api.example.com",
  webSocket: EventWebSocket, // browsers, workers and Node 22 have their own
});
const echo = createClient(Echo, transport);

// One in, one out.
console.log((await echo.say({ text: "hello" })).text);

// Many in, many out, at the same time: in a browser.
async function* mine() {
  yield { text: "one" };
  yield { text: "two" };
}
for await (const { index, text } of echo.converse(mine())) console.log(index, text);

transport.close();
