import { exchange, http1Bytes, readAnswer } from "./exchange.ts";
import { mebibyte, type Row } from "./row.ts";

const head = "POST /v1/say HTTP/1.1\r\nhost: x\r\nconnection: close\r\n";
const chunked = `${head}transfer-encoding: chunked\r\n`;

const sleep = "POST /sluice.test.v1.Echo/Sleep HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}";
const pipeline = (count: number): string => sleep.repeat(count);

/** Bytes of which all must be refused with an HTTP status, or with nothing but the end. */
const bytes: readonly [what: string, bytes: string, said: string][] = [
  ["a handshake of TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "400"],
  ["another protocol", "SSH-2.0-x\r\n\r\n", "400"],
  ["a preface of HTTP/2 that is wrong in the end", "PRI * HTTP/2.0\r\n\r\nSM\r\n\rX", "400"],
  ["HTTP/0.9", "GET /\r\n\r\n", "404 NOT_FOUND"],
  ["HTTP/3.0", "GET / HTTP/3.0\r\nhost: x\r\n\r\n", "400"],
  ["HTTP/1.1 without a host", "GET /v1/say/x HTTP/1.1\r\nconnection: close\r\n\r\n", "400"],
  ["a method that is none", "G\x00T / HTTP/1.1\r\nhost: x\r\n\r\n", "400"],
  ["a space in the target", "GET /v1/say/a b HTTP/1.1\r\nhost: x\r\n\r\n", "400"],
  ["a header without a name", "GET / HTTP/1.1\r\nhost: x\r\n: a\r\n\r\n", "400"],
  ["a space before the colon", "GET / HTTP/1.1\r\nhost: x\r\na : b\r\n\r\n", "400"],
  ["a NUL in a header", "GET / HTTP/1.1\r\nhost: x\r\na: b\x00\r\n\r\n", "400"],
  ["a carriage return in a header", "GET / HTTP/1.1\r\nhost: x\r\na: b\rc: d\r\n\r\n", "400"],
  ["a target of 70,000 bytes", `GET /${"x".repeat(70_000)} HTTP/1.1\r\nhost: x\r\n\r\n`, "431"],
  ["a length that is none", `${head}content-length: x\r\n\r\n{}`, "400"],
  ["a negative length", `${head}content-length: -2\r\n\r\n{}`, "400"],
  ["two lengths", `${head}content-length: 2\r\ncontent-length: 3\r\n\r\n{}`, "400"],
  ["a length of 30 digits", `${head}content-length: ${"9".repeat(30)}\r\n\r\n{}`, "400"],
  ["a length and chunks", `${chunked}content-length: 2\r\n\r\n2\r\n{}\r\n0\r\n\r\n`, "400"],
  ["chunks that are not the last coding", `${head}transfer-encoding: chunked, x\r\n\r\n{}`, "400"],
  ["a chunk whose size is none", `${chunked}\r\nxyz\r\n{}\r\n0\r\n\r\n`, "400"],
  ["a chunk of 2^64 bytes", `${chunked}\r\n10000000000000000\r\n{}\r\n0\r\n\r\n`, "400"],
  ["a chunk longer than its size", `${chunked}\r\n1\r\n{}\r\n0\r\n\r\n`, "400"],
  ["extensions of chunks without end", `${chunked}\r\n1;${"x".repeat(20_000)}\r\n{\r\n0\r\n\r\n`, "413"],
  ["trailers without end", `${chunked}\r\n2\r\n{}\r\n0\r\na: ${"x".repeat(70_000)}\r\n\r\n`, "431"],
  ["a length over the limit", `${head}content-length: 5000000000\r\n\r\n{`, "413 RESOURCE_EXHAUSTED"],
  ["a length that is too large by much", `${head}content-length: 10\r\n\r\n{}`, "408 DEADLINE_EXCEEDED"],
  ["a chunk that does not come", `${chunked}\r\nff\r\n{}`, "408 DEADLINE_EXCEEDED"],
  ["an unknown expectation", `${head}expect: miracles\r\ncontent-length: 2\r\n\r\n{}`, "417"],
  ["requests in a pipeline behind one that is never answered", pipeline(1000), "closed"],
  ["a CONNECT", "CONNECT x:80 HTTP/1.1\r\nhost: x:80\r\n\r\n", "closed"],
];

const large = http1Bytes({ path: "/v1/say", body: JSON.stringify({ text: "x".repeat(mebibyte) }) });
const stream = "GET /v1/repeat/x?count=0&intervalMs=1 HTTP/1.1\r\nhost: x\r\n\r\n";
const webSocket =
  "GET /v1/converse HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n" +
  "sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";

/** What clients are in the middle of when they are gone. */
const leavers: readonly [what: string, bytes: string | Buffer][] = [
  ["nothing", ""],
  ["the preface of HTTP/2", "PRI * HT"],
  ["a head", "POST /v1/say HTTP/1.1\r\nhos"],
  ["a body with a length", `${head}content-length: 100\r\n\r\n{`],
  ["a body in chunks", `${chunked}\r\n5\r\n{`],
  ["a large body", large.subarray(0, 500_000)],
  ["a call that is never answered", http1Bytes({ path: "/sluice.test.v1.Echo/Sleep", body: "{}" })],
  ["a stream of replies", stream],
  [
    "a stream of requests",
    http1Bytes({ path: "/v1/collect", headers: { "content-length": "99" }, body: "{}" }),
  ],
  ["a WebSocket", webSocket],
  ["a frame of a WebSocket", Buffer.from(`${webSocket}\x81\xfe\x10`, "latin1")],
  ["requests in a pipeline", stream + stream + stream],
];

/** Broken HTTP/1.1, and peers that leave in the middle, half or wholly. */
export const http1Rows: readonly Row[] = [
  ...bytes.map(([what, sent, said]): Row => ({
    what,
    send: async (port) => readAnswer(await exchange(port, sent)),
    said,
  })),
  ...leavers.flatMap(([what, sent]): Row[] => [
    {
      what: `a client that vanishes in the middle of ${what}`,
      send: async (port) => {
        await exchange(port, sent, "vanishes");
        return { said: "closed", message: "" };
      },
      said: "closed",
    },
    {
      what: `a client that stops sending in the middle of ${what}`,
      send: async (port) => {
        await exchange(port, sent, "half-closes");
        return { said: "closed", message: "" };
      },
      said: "closed",
    },
  ]),
];
