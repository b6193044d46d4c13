// `npm start -- [url]`: sends the lines that are typed, `TYPE WHO TEXT`, and shows what comes.
import { createInterface } from "node:readline";
import { PacketClient } from "./packet-client.ts";

const client = new PacketClient(process.argv[2] ?? "ws://127.0.0.1:8080/packets", {
  packet: ({ type, who, content }) => console.log(`${type} ${who} ${new TextDecoder().decode(content)}`),
  open: (missed) => console.log(missed ? "connected, and something may be missing" : "connected"),
  away: () => console.log("the connection is lost; trying again"),
  refused: (code, reason) => {
    console.log(`refused: ${code} ${reason}`);
    process.exitCode = 1;
    lines.close();
  },
});
const lines = createInterface({ input: process.stdin });
lines.on("line", (line) => {
  const [, type, who, text] = /^(\d+) (\d+) (.*)$/.exec(line) ?? [];
  if (text === undefined) console.log("please type three things: TYPE WHO TEXT, such as: 7 0 hello");
  else client.send({ type: Number(type), who: Number(who), content: new TextEncoder().encode(text) });
});
lines.on("close", () => client.close());
