import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startEchoServer, type EchoServer } from "@sluice/testkit";
import { createCallClient } from "../src/cli/call/create-call-client.ts";
import { runCommand, startCommand, type RunningCommand } from "./command.ts";
import { converse, echoSchema, send } from "./support.ts";

let echo: EchoServer;
let command: RunningCommand;
let url = "";
before(async () => {
  echo = await startEchoServer();
  command = startCommand(
    "serve",
    "--upstream",
    echo.address,
    "--port",
    "0",
    "--proto",
    echo.protoPath,
    "--max-message",
    "1000",
    "--max-reply",
    "500",
    "--max-metadata",
    "2000",
  );
  [url = ""] = await command.until(/http:\/\/127\.0\.0\.1:\d+$/m);
});
after(async () => {
  command.process.kill("SIGTERM");
  await command.ended;
  await echo.close();
});

const body = (length: number): { text: string } => ({ text: "x".repeat(length) });
const metadata = (length: number): Record<string, string> => ({ "grpc-metadata-x": "y".repeat(length) });
const connect = { "connect-protocol-version": "1" };

describe("the sizes that flags set", () => {
  for (const [dialect, headers] of [
    ["rest", {}],
    ["connect", connect],
  ] as const) {
    test(`hold for requests and replies in ${dialect}, and the errors name the flag`, async () => {
      const path = `${url}/sluice.test.v1.Echo/Say`;
      const say = dialect === "rest" ? `${url}/v1/say` : path;
      assert.equal((await send(say, "POST", body(450), headers)).status, 200);
      const reply = await send(say, "POST", body(600), headers);
      assert.match(
        reply.text,
        /the response has a message of 603 bytes, more than the maximum of 500 \(--max-reply\)/,
      );
      const request = await send(say, "POST", body(1000), headers);
      assert.match(request.text, /(?:limit|maximum) of 1000(?: bytes)? \(--max-message\)/);
    });
  }

  for (const dialect of ["grpc", "grpc-web", "connect"] as const) {
    test(`hold for both directions of a stream in ${dialect}`, async () => {
      const schema = await echoSchema(echo);
      const method = schema.methods.get("/sluice.test.v1.Echo/Converse");
      assert.ok(method !== undefined);
      const client = createCallClient(dialect, { url: new URL(url), schema });
      const outcome = (length: number): Promise<string> =>
        new Promise((resolve) => {
          const call = client.open(
            { method, metadata: {} },
            {
              headers: () => undefined,
              message: () => undefined,
              end: ({ code, message }) => resolve(`${code} ${message}`),
            },
          );
          call.send(JSON.stringify(body(length)));
          call.halfClose();
        });
      assert.match(await outcome(450), /^0 /);
      assert.match(
        await outcome(600),
        /^8 the response has a message of \d+ bytes.* of 500 \(--max-reply\)$/,
      );
      assert.match(
        await outcome(1000),
        /^8 the request has a message of \d+ bytes.* of 1000 \(--max-message\)$/,
      );
      await client.close();
    });
  }

  test("hold for the messages of streams, over REST and WebSocket", async () => {
    const tooLong = `${JSON.stringify(body(100))}\n${JSON.stringify(body(1000))}\n`;
    const answer = await send(`${url}/v1/collect`, "POST", tooLong);
    assert.match(answer.text, /a JSON text is larger than the limit of 1000 bytes \(--max-message\)/);
    const ws = url.replace("http", "ws");
    assert.equal((await converse(`${ws}/v1/converse`, [JSON.stringify(body(1000))])).code, 1009);
    const { messages } = await converse(`${ws}/v1/converse`, [JSON.stringify(body(600))]);
    assert.match(JSON.stringify(messages), /more than the maximum of 500 \(--max-reply\)/);
  });

  test("hold for metadata", async () => {
    assert.equal((await send(`${url}/v1/say/x`, "GET", undefined, metadata(1000))).status, 200);
    assert.equal((await send(`${url}/v1/say/x`, "GET", undefined, metadata(2000))).status, 431);
    const repeated = Object.fromEntries(
      Array.from({ length: 30 }, (_, at) => [`grpc-metadata-${at}`, "y"] as const),
    );
    const passed = await send(`${url}/v1/say/x`, "GET", undefined, { ...repeated, ...metadata(900) });
    assert.match(passed.text, /"code":8.*the metadata of the call has \d+ bytes.*of 2000 \(--max-metadata\)/);
  });

  test("and times must make sense", async () => {
    const upstream = ["serve", "--upstream", "x:1"];
    for (const [flags, expected] of [
      [["--timeout", "0"], /Give a number of seconds above 0/],
      [["--max-timeout", "soon"], /Give a number of seconds/],
      [["--timeout", "3", "--max-timeout", "2"], /--timeout: timeout is longer than maxTimeout/],
      [["--grace", "3000000"], /Give at most 2147483 seconds/],
      [["--max-reply", "0"], /Give a number of bytes from 1 to 4294967295/],
      [["--max-metadata", "99999999999"], /Give a number of bytes from 1 to 4294967295/],
      [["--max-calls", "5000000000"], /Give a whole number from 1 to 4294967295/],
    ] as const) {
      const { code, stderr } = await runCommand(...upstream, ...flags);
      assert.equal(code, 2);
      assert.match(stderr, expected);
    }
  });
});
