import { describe, test } from "node:test";
import { converse, joinRoot, type Line, startWireServer } from "./support/wire-server.ts";

/** What each side says once the client has joined the main namespace; bytes as revision 4 has them. */
const conversations: Readonly<Record<string, readonly Line[]>> = {
  "events with arguments of all kinds": [
    '> 42["echo"]',
    '< 42["echo"]',
    '> 42["echo",1,"2",{"3":[true]},null,-1.5e3,"",[],{}]',
    '< 42["echo",1,"2",{"3":[true]},null,-1500,"",[],{}]',
    '> 42["echo","€ 😀 \\u00e9 \\u001e"]',
    '< 42["echo","€ 😀 é \\u001e"]',
    '> 42 ["echo", 1 ]',
    '< 42["echo",1]',
  ],
  "events with a number for a name, and of names that nobody listens to": [
    '> 42[1,"x"]',
    '< 42["one","x"]',
    '> 42["unknown",1]',
    '> 42["__proto__",1]',
    '> 42[""]',
    "> 42[1.5]",
    '> 42["echo"]',
    '< 42["echo"]',
  ],
  "events that are answered": [
    '> 420["ask"]',
    "< 430[]",
    '> 42456["ask",1,"2",{"3":[false]}]',
    '< 43456[1,"2",{"3":[false]}]',
    '> 42999999999999999["ask","a"]',
    '< 43999999999999999["a"]',
    '> 4200["ask"]',
    "< 430[]",
  ],
  "events that ask the client, with ids from 0 on": [
    '> 42["ask me","a"]',
    '< 420["question","a"]',
    '> 430["b",{"c":1}]',
    '< 42["answered","b",{"c":1}]',
    '> 42["ask me"]',
    '< 421["question"]',
    "> 431[]",
    '< 42["answered"]',
  ],
  "answers that nobody waits for, which are nothing": [
    "> 430[1]",
    "> 4399[]",
    '> 42["ask me"]',
    '< 420["question"]',
    "> 430[]",
    '< 42["answered"]',
    "> 430[]",
    '> 42["echo"]',
    '< 42["echo"]',
  ],
  "events with bytes": [
    '> 451-["echo",{"_placeholder":true,"num":0}]',
    "> binary 01 02 03 04",
    '< 451-["echo",{"_placeholder":true,"num":0}]',
    "< binary 01 02 03 04",
    '> 452-["echo",{"b":[{"_placeholder":true,"num":1}],"a":{"_placeholder":true,"num":0}},"text"]',
    "> binary 01",
    "> binary",
    '< 452-["echo",{"b":[{"_placeholder":true,"num":0}],"a":{"_placeholder":true,"num":1}},"text"]',
    "< binary",
    "< binary 01",
  ],
  "events with bytes that are answered": [
    '> 452-789["ask",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]',
    "> binary 01 02 03",
    "> binary 04 05 06",
    '< 462-789[{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]',
    "< binary 01 02 03",
    "< binary 04 05 06",
  ],
  "answers with bytes": [
    '> 42["ask me"]',
    '< 420["question"]',
    '> 461-0["b",{"_placeholder":true,"num":0}]',
    "> binary 00 ff",
    '< 451-["answered","b",{"_placeholder":true,"num":0}]',
    "< binary 00 ff",
  ],
  "as many attachments as may be": [
    `> 4510-["echo",${placeholders(10)}]`,
    ...Array.from({ length: 10 }, (_, index): Line => `> binary 0${index}`),
    `< 4510-["echo",${placeholders(10)}]`,
    ...Array.from({ length: 10 }, (_, index): Line => `< binary 0${index}`),
  ],
  "bytes that one packet has in several places": [
    '> 451-["echo",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]',
    "> binary 07",
    '< 452-["echo",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]',
    "< binary 07",
    "< binary 07",
  ],
  "what only looks like bytes": [
    '> 42["echo",{"_placeholder":true,"num":0}]',
    '< 42["echo",{"_placeholder":true,"num":0}]',
    '> 451-["echo",{"_placeholder":false,"num":0},{"_placeholder":true,"num":0}]',
    "> binary 07",
    '< 451-["echo",{"_placeholder":false,"num":0},{"_placeholder":true,"num":0}]',
    "< binary 07",
  ],
};

function placeholders(count: number): string {
  return Array.from({ length: count }, (_, num) => JSON.stringify({ _placeholder: true, num })).join(",");
}

/** The same in another namespace. */
function within(namespace: string, line: Line): Line {
  if (line.slice(2).startsWith("binary")) return line;
  return line.replace(/^(. 4\d(?:\d+-)?)(.*)$/, `$1${namespace},$2`) as Line;
}

/** Bytes as revision 3 has them, their type before them. */
function withType(line: Line): Line {
  return line.replace(/^(. binary)/, "$1 04").trim() as Line;
}

for (const revision of [3, 4] as const) {
  describe(`On the wire of revision ${revision} there are`, () => {
    for (const [name, lines] of Object.entries(conversations)) {
      const said = revision === 3 ? lines.map(withType) : lines;

      test(name, async (context) => {
        const { port } = await startWireServer(context);
        await converse(await joinRoot(context, port, revision), said);
      });

      test(`${name}, in another namespace`, async (context) => {
        const { port } = await startWireServer(context);
        const client = await joinRoot(context, port, revision);
        await converse(client, ["> 40/dyn-1,", revision === 3 ? "< 40/dyn-1," : '< 40/dyn-1,{"sid":"*"}']);
        await converse(
          client,
          said.map((line) => within("/dyn-1", line)),
        );
      });
    }
  });
}
