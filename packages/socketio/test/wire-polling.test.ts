import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { PollingClient } from "./support/engine.ts";
import { patternOf, startWireServer } from "./support/wire-server.ts";

/** A payload as it is on the wire, in text or in bytes, which are written in hexadecimal digits. */
type Payload = string | { readonly hex: string };

type Exchange = readonly ["POST" | "GET", Payload];

const ask = '451-0["ask",{"_placeholder":true,"num":0}]';
const answer = '461-0[{"_placeholder":true,"num":0}]';

/** What the client posts and what its polls are answered, from the opening packet on. */
const conversations: Readonly<
  Record<string, { readonly query: string; readonly exchanges: readonly Exchange[] }>
> = {
  "revision 4": {
    query: "EIO=4",
    exchanges: [
      ["POST", '40\x1e40/custom,{"token":"t"}'],
      ["GET", '40{"sid":"*"}\x1e40/custom,{"sid":"*"}\x1e42/custom,["auth",{"token":"t"}]'],
      ["POST", '420["ask","€ \u{1F600}"]'],
      ["GET", '430["€ \u{1F600}"]'],
      ["POST", `${ask}\x1ebAQID`],
      ["GET", `${answer}\x1ebAQID`],
      ["POST", '42["ask me"]\x1e42/custom,["ask me"]'],
      ["GET", '420["question"]\x1e42/custom,0["question"]'],
      ["POST", '461-0[{"_placeholder":true,"num":0}]\x1eb/w=='],
      ["GET", '451-["answered",{"_placeholder":true,"num":0}]\x1eb/w=='],
      ["POST", "40/denied,\x1e41/custom,"],
      ["GET", '44/denied,{"message":"not allowed","data":{"code":7}}'],
    ],
  },
  "revision 3 in base64": {
    query: "EIO=3&b64=1",
    exchanges: [
      ["GET", "2:40"],
      ["POST", "23:40/custom?token=abc&a=,"],
      ["GET", '10:40/custom,41:42/custom,["auth",{"token":"abc","a":""}]'],
      ["POST", '17:420["ask","€ \u{1F600}"]'],
      ["GET", '11:430["€ \u{1F600}"]'],
      ["POST", `42:${ask}6:b4AQID`],
      ["GET", `36:${answer}6:b4AQID`],
      ["POST", "11:40/denied?,"],
      ["GET", '20:44/denied,{"code":7}'],
      ["POST", '21:42["echo","for many"]10:41/custom,'],
      ["GET", '21:42["echo","for many"]'],
    ],
  },
  "revision 3 in bytes": {
    query: "EIO=3",
    exchanges: [
      ["GET", "2:40"],
      ["POST", { hex: `00 04 02 ff ${hexOf(ask)} 01 04 ff 04 01 02 03` }],
      ["GET", { hex: `00 03 06 ff ${hexOf(answer)} 01 04 ff 04 01 02 03` }],
      ["POST", '17:420["ask","€ \u{1F600}"]'],
      ["GET", '11:430["€ \u{1F600}"]'],
      // The length is that of the bytes of the text.
      ["POST", { hex: `00 02 01 ff ${hexOf('420["ask","€ \u{1F600}"]')}` }],
      ["GET", '11:430["€ \u{1F600}"]'],
    ],
  },
};

function hexOf(text: string): string {
  return Buffer.from(text).toString("hex");
}

describe("By polling Socket.IO is on the wire as its pages have it, in", () => {
  for (const [name, { query, exchanges }] of Object.entries(conversations)) {
    test(name, async (context) => {
      const { url } = await startWireServer(context);
      const client = new PollingClient(url, query);
      await client.open();
      for (const [method, payload] of exchanges) {
        const isText = typeof payload === "string";
        const bytes = isText ? Buffer.from(payload) : Buffer.from(payload.hex.replaceAll(" ", ""), "hex");
        const type = isText ? "text/plain;charset=UTF-8" : "application/octet-stream";
        const response =
          method === "GET" ? await client.get() : await client.post(bytes, { "Content-Type": type });
        assert.equal(response.status, 200);
        const received = Buffer.from(await response.arrayBuffer());
        if (method === "POST") assert.equal(received.toString(), "ok");
        else if (isText) assert.match(received.toString(), patternOf(payload));
        else assert.equal(received.toString("hex"), bytes.toString("hex"));
      }
    });
  }

  test("JSONP of either revision", async (context) => {
    const { url } = await startWireServer(context);
    const client = new PollingClient(url, "EIO=4&j=7");
    await client.open();
    const form = { "Content-Type": "application/x-www-form-urlencoded" };
    await client.post("d=40", form);
    assert.match(await client.poll(), /^___eio\[7\]\("40\{\\"sid\\":\\"[\w-]{20}\\"\}"\);$/);
    await client.post(`d=${encodeURIComponent(String.raw`42["echo","a\\nb"]`)}`, form);
    assert.equal(await client.poll(), String.raw`___eio[7]("42[\"echo\",\"a\\nb\"]");`);
    const old = new PollingClient(url, "EIO=3&j=0");
    await old.open();
    assert.equal(await old.poll(), '___eio[0]("2:40");');
    await old.post(`d=${encodeURIComponent('10:42["echo"]')}`, form);
    assert.equal(await old.poll(), String.raw`___eio[0]("10:42[\"echo\"]");`);
  });
});
