import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import type { RequestListener } from "node:http";
import { afterEach, beforeEach, describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { FakeClock } from "@sluice/testkit/fake-clock";
import type { JwksOptions } from "../src/identity/identity-options.ts";
import { createTokenVerifier, type TokenVerifier } from "../src/identity/token-verifier.ts";
import {
  failsWith,
  start,
  jwkOf,
  KeptLog,
  makeToken,
  pairs,
  startKeyServer,
  startSecond,
  type KeyServer,
  type Pair,
} from "./identity-support.ts";

const first = pairs["P-256"];
const second = generateKeyPairSync("ec", { namedCurve: "P-256" });
const setOf = (keys: Readonly<Record<string, Pair>>): object => ({
  keys: Object.entries(keys).map(([kid, pair]) => jwkOf(pair, { kid, use: "sig", alg: "ES256" })),
});
const tokenOf = (pair: Pair, kid?: string): string =>
  makeToken({ alg: "ES256", kid }, { sub: "ada", exp: startSecond + 1e6 }, pair.privateKey);
const tokenA = tokenOf(first, "a");
const tokenB = tokenOf(second, "b");

let server: KeyServer;
let verifier: TokenVerifier;
let clock: FakeClock;
let log: KeptLog;
beforeEach(async () => {
  server = await startKeyServer(setOf({ a: first }));
  clock = new FakeClock(start);
  log = new KeptLog();
});
afterEach(async () => {
  verifier.close();
  await server.close();
});

async function create(options: Partial<JwksOptions> = {}): Promise<void> {
  verifier = await createTokenVerifier({ jwks: { url: server.url, ...options } }, { clock, log });
  // The warning that there is no audience.
  log.lines.length = 0;
}

const fail: RequestListener = (_request, response) => void response.writeHead(500).end("no");
/** Takes a request, and says nothing. */
const hang: RequestListener = () => undefined;

describe("a key set of a URL", () => {
  test("is fetched once, before the first token and for all of them", async () => {
    const asked = server.request();
    await create();
    const { headers } = await asked;
    assert.equal(headers.accept, "application/jwk-set+json, application/json");
    const tokens = Array.from({ length: 50 }, () => verifier.verify(tokenA));
    for (const { user } of await Promise.all(tokens)) assert.equal(user, "ada");
    assert.equal(server.asked, 1);
    assert.deepEqual(log.lines, []);
  });

  test("is fetched again for a key that is new", async () => {
    await create();
    await verifier.verify(tokenA);
    server.answer(setOf({ a: first, b: second }));
    clock.advance(10_000);
    await Promise.all([verifier.verify(tokenB), verifier.verify(tokenA), verifier.verify(tokenB)]);
    assert.equal(server.asked, 2);
  });

  test("is fetched again when it is old, and a key that is gone does not count any more", async () => {
    await create({ refreshMs: 60_000 });
    await verifier.verify(tokenA);
    server.answer(setOf({ b: second }));
    clock.advance(59_999);
    await verifier.verify(tokenA);
    assert.equal(server.asked, 1);
    clock.advance(1);
    await assert.rejects(verifier.verify(tokenA), failsWith("unknown_key", /ES256 with the kid "a"/));
    await verifier.verify(tokenB);
    assert.equal(server.asked, 2);
  });

  test("is not fetched again for each of a flood of unknown keys", async () => {
    await create();
    await verifier.verify(tokenA);
    const flood = async (): Promise<void> => {
      for (let round = 0; round < 10; round++) {
        const forged = Array.from({ length: 20 }, (_, at) =>
          verifier.verify(tokenOf(second, `${round}-${at}`)),
        );
        for (const each of await Promise.allSettled(forged)) {
          assert.ok(each.status === "rejected" && failsWith("unknown_key")(each.reason));
        }
      }
    };
    await flood();
    assert.equal(server.asked, 1);
    clock.advance(10_000);
    await flood();
    assert.equal(server.asked, 2);
    clock.advance(9_999);
    await flood();
    assert.equal(server.asked, 2);
  });

  test("is fetched again after the clock of the machine was set back", async () => {
    await create();
    await verifier.verify(tokenA);
    server.answer(setOf({ b: second }));
    clock.set(clock.now() - 86_400_000);
    await verifier.verify(tokenB);
  });

  test("lets a token without a kid be checked with each key that fits", async () => {
    server.answer(setOf({ a: first, b: second }));
    await create();
    await verifier.verify(tokenOf(first));
    await verifier.verify(tokenOf(second));
    const stranger = generateKeyPairSync("ec", { namedCurve: "P-256" });
    await assert.rejects(verifier.verify(tokenOf(stranger)), failsWith("bad_signature"));
  });

  test("without names is asked for none", async () => {
    server.answer({ keys: [jwkOf(first)] });
    await create();
    await verifier.verify(tokenA);
  });
});

describe("keys that must not be used are left out", () => {
  const jwk = jwkOf(second, { kid: "b" });
  const weak = generateKeyPairSync("rsa", { modulusLength: 1024 });
  const cases: [string, unknown, RegExp | undefined][] = [
    ["for encryption", { ...jwk, use: "enc" }, undefined],
    ["for something else", { ...jwk, use: "any" }, undefined],
    ["to sign with only", { ...jwk, key_ops: ["sign"] }, undefined],
    ["for another algorithm", { ...jwk, alg: "ES384" }, undefined],
    ["for nothing", { ...jwk, key_ops: [] }, undefined],
    ["with operations that are no list", { ...jwk, key_ops: "verify" }, undefined],
    ["private", second.privateKey.export({ format: "jwk" }), /key 2 is a private key/],
    ["secret", { kty: "oct", kid: "b", k: Buffer.alloc(64).toString("base64url") }, /key 2 is a secret/],
    ["weak", jwkOf(weak, { kid: "b" }), /key 2 is an RSA key of 1024 bits, and needs 2048/],
    ["not on the curve", { ...jwk, x: jwk.y }, /key 2 is broken/],
    ["without a part", { kty: "EC", crv: "P-256", kid: "b" }, /key 2 is broken/],
    ["of a kind to come", { kty: "AKP", alg: "ML-DSA-44", pub: "AAAA" }, /kind that is not known/],
    ["not an object", "b", /key 2 is not a JSON object/],
    ["null", null, /key 2 is not a JSON object/],
  ];
  for (const [name, key, logged] of cases) {
    test(`one that is ${name}`, async () => {
      server.answer({ keys: [jwkOf(first, { kid: "a" }), key] });
      await create();
      await verifier.verify(tokenA);
      await assert.rejects(verifier.verify(tokenB), failsWith("unknown_key"));
      clock.advance(600_000);
      await verifier.verify(tokenA);
      assert.equal(log.lines.length, logged === undefined ? 0 : 1);
      if (logged !== undefined) assert.match(log.lines[0] ?? "", logged);
    });
  }
});

describe("a key set that cannot be fetched", () => {
  const keys = Array.from({ length: 101 }, () => ({}));
  const inflating = gzipSync(Buffer.alloc(1e7));
  const cases: [string, object | RequestListener, RegExp, number?][] = [
    ["an error", fail, /answers with the status 500/],
    ["no content", (_, response) => void response.writeHead(204).end(), /status 204/],
    ["what is not JSON", (_, response) => void response.end("<html>"), /answers with what is not JSON/],
    ["nothing", (_, response) => void response.end(), /answers with what is not JSON/],
    ["keys that are no list", { keys: {} }, /has keys that are not a list/],
    ["no keys", { keys: [] }, /has no key for signatures/],
    ["keys of no use", { keys: [jwkOf(first, { use: "enc" })] }, /has no key for signatures/],
    ["too many keys", { keys }, /has 101 keys, over the limit of 100/],
    [
      "a redirect",
      (_, response) => void response.writeHead(302, { location: "/other" }).end(),
      /redirects \(302\)/,
    ],
    [
      "a lasting redirect",
      (_, response) => void response.writeHead(308, { location: "/" }).end(),
      /redirects \(308\)/,
    ],
    ["too much", (_, response) => void response.end(`"${"x".repeat(1e6)}"`), /more than 262144 bytes/],
    [
      "too much, when inflated",
      (_, response) => void response.writeHead(200, { "content-encoding": "gzip" }).end(inflating),
      /more than 262144 bytes/,
    ],
    ["no answer", hang, /no answer within 300 ms/, 300],
    ["an answer without end", (_, response) => void response.write("{"), /no answer within 300 ms/, 300],
    ["a lost connection", (request) => void request.socket.destroy(), /cannot be reached \(/],
    [
      "half an answer",
      (request, response) => {
        response.writeHead(200, { "content-length": "100" });
        response.write("{", () => request.socket.destroy());
      },
      /cannot be reached \(/,
    ],
  ];
  for (const [name, answer, message, timeoutMs = 5000] of cases) {
    test(`because of ${name} leaves tokens unchecked, and says so once`, async () => {
      server.answer(answer);
      await create({ timeoutMs });
      for (let times = 0; times < 3; times++) {
        await assert.rejects(verifier.verify(tokenA), (error) => {
          assert.ok(failsWith("keys_unavailable", /jwks\.json could not be fetched$/)(error));
          assert.ok(error instanceof Error && error.cause instanceof Error);
          assert.match(error.cause.message, message);
          return true;
        });
      }
      assert.equal(server.asked, 1);
      assert.equal(log.lines.length, 1);
      assert.match(
        log.lines[0] ?? "",
        /^warn http:\/\/127\.0\.0\.1:\d+\/jwks\.json .*; no token can be checked /,
      );
      assert.match(log.lines[0] ?? "", message);
    });

    test(`again because of ${name} leaves the keys of before`, async () => {
      await create({ timeoutMs });
      await verifier.verify(tokenA);
      server.answer(answer);
      clock.advance(600_000);
      await verifier.verify(tokenA);
      await verifier.verify(tokenA);
      await assert.rejects(verifier.verify(tokenB), failsWith("keys_unavailable"));
      assert.equal(server.asked, 2);
      assert.match(log.lines.join("\n"), message);
      assert.match(log.lines.join("\n"), /; the keys of before go on/);
    });
  }

  test("because nobody listens is named with the reason of the system", async () => {
    await server.close();
    await create();
    await assert.rejects(verifier.verify(tokenA), failsWith("keys_unavailable"));
    assert.match(log.lines[0] ?? "", /cannot be reached \(ECONNREFUSED\)/);
    server = await startKeyServer({});
  });

  test("is asked for again after the cool-down, and its return is logged", async () => {
    server.answer(fail);
    await create();
    await assert.rejects(verifier.verify(tokenA), failsWith("keys_unavailable"));
    server.answer(setOf({ a: first }));
    clock.advance(9_999);
    await assert.rejects(verifier.verify(tokenA), failsWith("keys_unavailable"));
    clock.advance(1);
    await verifier.verify(tokenA);
    assert.deepEqual(
      log.lines.map((line) => line.replaceAll(server.url, "URL")),
      [
        'warn URL answers with the status 500; no token can be checked {"jwks":"URL"}',
        'info URL is back, with 1 keys {"jwks":"URL"}',
      ],
    );
  });

  test("holds up no token whose key is known", async () => {
    await create();
    await verifier.verify(tokenA);
    server.answer(fail);
    clock.advance(600_000);
    await verifier.verify(tokenA);
    server.answer(hang);
    clock.advance(10_000);
    const asked = server.request();
    await verifier.verify(tokenA);
    await asked;
    assert.equal(server.asked, 3);
  });

  test("is not waited for after the end", async () => {
    server.answer(hang);
    const asked = server.request();
    await create();
    const { socket } = await asked;
    const closed = once(socket, "close");
    const refused = assert.rejects(verifier.verify(tokenA), failsWith("keys_unavailable"));
    verifier.close();
    await Promise.all([refused, closed]);
    assert.deepEqual(log.lines, []);
  });

  test("is named without its query", async () => {
    server.answer(fail);
    await create({ url: `${server.url}?key=s3cret` });
    await assert.rejects(verifier.verify(tokenA), failsWith("keys_unavailable"));
    assert.match(log.lines[0] ?? "", /jwks\.json answers/);
    assert.doesNotMatch(log.lines.join(), /s3cret/);
  });
});

test("a URL in the header of a token is not asked", async () => {
  await create();
  await verifier.verify(tokenA);
  const elsewhere = await startKeyServer(setOf({ a: second }));
  for (const member of ["jku", "x5u"]) {
    const forged = makeToken(
      { alg: "ES256", kid: "a", [member]: elsewhere.url },
      { sub: "eve" },
      second.privateKey,
    );
    await assert.rejects(verifier.verify(forged), failsWith("bad_signature"));
  }
  assert.equal(elsewhere.asked, 0);
  await elsewhere.close();
});

test("a key set without an audience is warned of", async () => {
  verifier = await createTokenVerifier({ jwks: server.url }, { clock, log });
  assert.match(log.lines[0] ?? "", /^warn jwt\.audience is not given: tokens that the issuer/);
});
