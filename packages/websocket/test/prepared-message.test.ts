import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { connectWebSocket, PreparedMessage } from "../src/index.ts";
import { Journal } from "./support/journal.ts";
import { listen } from "./support/server.ts";

describe("a prepared message", () => {
  test("is told to have left also where the socket takes several at once", async (context) => {
    const journal = new Journal();
    const server = await listen(context, { handlers: journal });
    await connectWebSocket(server.url);
    const message = new PreparedMessage("x".repeat(50_000));
    const answers = [0, 1, 2].map(() => server.connections[0]?.send(message));
    assert.deepEqual(answers, [true, false, false]);
    assert.deepEqual(await journal.count(1), ["drain"]);
    assert.equal(server.connections[0]?.send("next"), true);
  });

  test("reaches many connections in order with what else is sent in the same tick", async (context) => {
    const server = await listen(context, { handlers: {} });
    const journals = Array.from({ length: 5 }, () => new Journal());
    for (const handlers of journals) await connectWebSocket(server.url, { handlers });
    const large = "x".repeat(40_000);
    const messages = [
      new PreparedMessage("one"),
      new PreparedMessage(Buffer.from("two"), true),
      new PreparedMessage(Uint8Array.of(3)),
      new PreparedMessage(large),
      new PreparedMessage("five"),
    ];
    const texts = ["text one", "text two", "binary 03", `text ${large}`, "text five"];
    const expected: string[][] = journals.map(() => []);
    for (const [at, connection] of server.connections.entries()) {
      const entries = expected[at]!;
      // The first two connections get the same run; the others differ in what stands between.
      for (const [index, message] of messages.entries()) {
        if (at > 1 && index === at) {
          connection.send("between");
          entries.push("text between");
        }
        connection.send(message);
        entries.push(texts[index]!);
      }
      connection.send(messages[0]!);
      entries.push("text one");
    }
    for (const [at, journal] of journals.entries()) {
      await journal.count(expected[at]!.length);
      assert.deepEqual(journal.entries, expected[at]);
    }
  });

  test("is sent by a client too", async (context) => {
    const journal = new Journal();
    const server = await listen(context, { handlers: journal });
    const client = await connectWebSocket(server.url);
    client.send(new PreparedMessage("text"));
    client.send(new PreparedMessage(Buffer.from("binary")));
    client.send(new PreparedMessage(Buffer.from("text"), true));
    assert.deepEqual(await journal.count(3), ["text text", "binary 62696e617279", "text text"]);
  });

  test("keeps its bytes when the given ones change", async (context) => {
    const journal = new Journal();
    const server = await listen(context, { handlers: {} });
    await connectWebSocket(server.url, { handlers: journal });
    const bytes = Buffer.from("before");
    const message = new PreparedMessage(bytes, true);
    bytes.fill(0);
    server.connections[0]?.send(message);
    assert.deepEqual(await journal.count(1), ["text before"]);
  });
});
