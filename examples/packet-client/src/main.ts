// `npm start -- [url]`: says lines to the server, which answers them, or `@NUMBER text` to another client.
import { createInterface } from "node:readline";
import { PacketClient } from "./packet-client.ts";
import { decodeTextMessage, encodeTextMessage } from "./text-message.ts";

/** By the configuration of the gateway, packets of this type are calls of a gRPC method. */
const echo = 1;
/** And these are whatever clients want. */
const hello = 2;
/** A packet that was refused: its content is a `google.rpc.Status`. */
const refused = 0xffff_ffff;

const client = new PacketClient(process.argv[2] ?? "ws://127.0.0.1:8080/packets", {
  packet: ({ type, who, content }) => {
    if (type === echo) console.log(`server: ${decodeTextMessage(content)}`);
    else if (type === hello) console.log(`${who}: ${new TextDecoder().decode(content)}`);
    else if (type === refused) console.log("refused");
  },
  open: (missed) => console.log(missed ? "connected; something may be missing" : "connected"),
  away: () => console.log("the connection is lost; trying again"),
  refused: (code, reason) => {
    console.log(`sent away: ${code} ${reason}`);
    process.exitCode = 1;
    lines.close();
  },
});
const lines = createInterface({ input: process.stdin });
lines.on("line", (line) => {
  const [, number, text] = /^@(\d+) (.*)$/.exec(line) ?? [];
  if (text === undefined) client.send({ type: echo, who: 0, content: encodeTextMessage(line) });
  else client.send({ type: hello, who: Number(number), content: new TextEncoder().encode(text) });
});
lines.on("close", () => client.close());
