import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, describe, test } from "node:test";
import { rawRequest } from "./raw-http2.ts";
import { stillOpen } from "./still-open.ts";
import { startTestGateway, type TestGateway } from "./support.ts";

let sluice: TestGateway;
before(async () => {
  sluice = await startTestGateway({ bodyMs: 50 });
});
after(() => sluice.close());

const say = "/sluice.test.v1.Echo/Say";
const late = "the body of the request has not come within 50 milliseconds";

/** Sends a head and a body of 1 MiB, byte by byte, until the connection ends; gives the answer. */
async function trickle(path: string, contentType: string): Promise<string> {
  const socket = connect({ port: sluice.port, host: "127.0.0.1", noDelay: true });
  let answer = "";
  socket.setEncoding("latin1").on("data", (chunk: string) => (answer += chunk));
  socket.on("error", () => undefined);
  socket.write(
    `POST ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: ${contentType}\r\n` +
      "content-length: 1000000\r\n\r\n\0\0\x10\0\0",
    "latin1",
  );
  const sending = setInterval(() => socket.write("\0"), 5);
  await new Promise((resolve) => socket.once("close", resolve));
  clearInterval(sending);
  return answer;
}

describe("a body that does not come in time is told so", { concurrency: true }, () => {
  const table: readonly [dialect: string, path: string, contentType: string, status: number, code: RegExp][] =
    [
      ["REST", "/v1/say", "application/json", 408, /"code":4,/],
      ["Connect", say, "application/proto", 504, /"code":"deadline_exceeded",/],
      ["gRPC-Web", say, "application/grpc-web", 200, /grpc-status: 4\r\n/],
      [
        "gRPC-Web for a stream of replies",
        "/sluice.test.v1.Echo/Repeat",
        "application/grpc-web",
        200,
        /-status: 4/,
      ],
      [
        "a stream of Connect",
        "/sluice.test.v1.Echo/Repeat",
        "application/connect+proto",
        200,
        /"deadline_exceeded"/,
      ],
    ];
  for (const [dialect, path, contentType, status, code] of table) {
    test(`in ${dialect}`, async () => {
      const answer = await trickle(path, contentType);
      assert.match(answer, new RegExp(`^HTTP/1.1 ${status} `));
      assert.match(answer, code);
      assert.ok(answer.includes(late), answer);
    });
  }

  test("in gRPC", async () => {
    const headers = { "content-type": "application/grpc" };
    const chunks = [Buffer.from("0000000007", "hex")];
    const answer = await rawRequest(sluice.http, { path: say, headers, chunks, isOpen: true });
    assert.equal(answer.headers["grpc-status"] ?? answer.trailers["grpc-status"], "4");
  });
});

test("a stream of requests may be silent for as long as it likes", async () => {
  const headers = { "content-type": "application/grpc" };
  const asked = {
    path: "/sluice.test.v1.Echo/Collect",
    headers: { ...headers, "grpc-timeout": "200m" },
    isOpen: true,
  };
  const answer = await rawRequest(sluice.http, asked);
  assert.match(
    String(answer.headers["grpc-message"] ?? answer.trailers["grpc-message"]),
    /200 ?ms|deadline/i,
  );
});

test("nothing stays of all that", async () => {
  await sluice.echo.calls.until(({ open }) => open === 0);
  while (sluice.gateway.counts.connections > 0) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(stillOpen(sluice.gateway.counts), {});
});
