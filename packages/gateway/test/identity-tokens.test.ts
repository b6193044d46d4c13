import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { inspect } from "node:util";
import { describe, test } from "node:test";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { IdentityError, type IdentityErrorCode } from "../src/identity/identity-error.ts";
import type { JwtOptions } from "../src/identity/identity-options.ts";
import { createTokenVerifier, type TokenVerifier } from "../src/identity/token-verifier.ts";
import { failsWith, start, jwkOf, makeToken, pairs, pemOf, startSecond } from "./identity-support.ts";

const { privateKey } = pairs["P-256"];
const publicKey = pemOf(pairs["P-256"]);
const stranger = generateKeyPairSync("ec", { namedCurve: "P-256" });
const claims = { sub: "ada-lovelace", exp: startSecond + 60 };
const good = makeToken({ alg: "ES256" }, claims, privateKey);
const [goodHeader = "", goodClaims = "", goodSignature = ""] = good.split(".");

const token = (changed: object | string, header: object | string = { alg: "ES256" }): string =>
  makeToken(
    header,
    typeof changed === "string" || Buffer.isBuffer(changed) ? changed : { ...claims, ...changed },
    privateKey,
    "ES256",
  );
const clock = new FakeClock(start);
const create = (options: JwtOptions): Promise<TokenVerifier> => createTokenVerifier(options, { clock });

describe("a token that is not as it should be is refused", () => {
  const bounded = {
    publicKey,
    issuer: ["https://login.example.com", "https://old.example.com"],
    audience: "chat",
  };
  const fitting = { iss: "https://old.example.com", aud: ["mail", "chat"] };
  const deep = "[".repeat(8000);
  const named = { publicKey: JSON.stringify(jwkOf(pairs["P-256"], { kid: "a" })) };
  const ownKey = {
    jwk: jwkOf(stranger),
    jku: "http://127.0.0.1:1/jwks.json",
    x5u: "http://127.0.0.1:1/x.pem",
    x5c: [stranger.publicKey.export({ type: "spki", format: "der" }).toString("base64")],
  };
  const cases: [string, string, IdentityErrorCode, (RegExp | undefined)?, JwtOptions?][] = [
    ["empty", "", "malformed"],
    ["a word", "token", "malformed"],
    ["two parts", `${goodHeader}.${goodClaims}`, "malformed"],
    ["four parts", `${good}.${goodSignature}`, "malformed"],
    ["five parts, as an encrypted one", `${good}.a.b`, "malformed", /three parts/],
    ["with a space", `${good} `, "malformed"],
    ["with padding", `${good}=`, "malformed"],
    ["with base64 of the other alphabet", `${goodHeader}.${goodClaims}.+/${goodSignature}`, "malformed"],
    ["with a line end", `${good}\n`, "malformed"],
    ["with a character that is not ASCII", `${good}é`, "malformed"],
    ["twice", `${good}, ${good}`, "malformed"],
    ["a token over the limit", token({ sub: "x".repeat(16 * 1024) }), "malformed", /over the limit of 16384/],
    [
      "over a limit of one's own",
      good,
      "malformed",
      /over the limit of 10$/,
      { publicKey, maxTokenBytes: 10 },
    ],
    ["a header that is not JSON", token({}, "{alg:ES256}"), "malformed", /header that is not JSON$/],
    ["a header that is nested deeply", token({}, deep), "malformed"],
    ["a header that is a list", token({}, "[]"), "malformed"],
    ["a header that is null", token({}, "null"), "malformed"],
    ["a header without alg", token({}, "{}"), "malformed", /no algorithm/],
    ["an alg that is a list", token({}, '{"alg":["ES256"]}'), "malformed"],
    ["the alg twice, with none last", token({}, '{"alg":"ES256","alg":"none"}'), "algorithm_refused"],
    ["an alg as long as a book", token({}, { alg: "a".repeat(9000) }), "algorithm_refused", /^.{0,200}$/],
    [
      "an alg with line ends for the log",
      token({}, { alg: "x\nWARN y\u2028z" }),
      "algorithm_refused",
      /^.*$/,
    ],
    ["a kid that is a number", token({}, { alg: "ES256", kid: 1 }), "malformed"],
    ["crit with what nobody knows", token({}, { alg: "ES256", crit: ["exp"] }), "extension_refused"],
    ["crit with b64", token({}, { alg: "ES256", crit: ["b64"], b64: false }), "extension_refused"],
    ["crit that is empty", token({}, { alg: "ES256", crit: [] }), "extension_refused"],
    ["claims that are not JSON", token("claims"), "malformed"],
    ["claims that are not UTF-8", token(Buffer.from([0x7b, 0xff, 0x7d])), "malformed"],
    ["claims that are a list", token("[]"), "malformed"],
    ["claims that are a text", token('"ada"'), "malformed"],
    ["an exp that is over", token({ exp: startSecond - 5 }), "expired"],
    ["an exp of 0", token({ exp: 0 }), "expired"],
    ["an exp below all numbers", token('{"sub":"ada","exp":-1e999}'), "expired"],
    ["an exp that is a text", token({ exp: `${startSecond + 60}` }), "malformed", /exp/],
    ["an exp that is null", token({ exp: null }), "malformed", /exp/],
    ["an exp of NaN, which is not JSON", token('{"sub":"ada","exp":NaN}'), "malformed"],
    ["an exp that is for ever by a slip", token('{"sub":"ada","exp":1e999}'), "malformed", /exp/],
    ["an exp that no date can say", token({ exp: 1e14 }), "malformed", /exp/],
    ["an nbf that is to come", token({ nbf: startSecond + 6 }), "not_yet_valid"],
    ["an nbf after all numbers", token('{"sub":"ada","nbf":1e999}'), "not_yet_valid"],
    ["an nbf that is a text", token({ nbf: "now" }), "malformed", /nbf/],
    ["no sub", token({ sub: undefined }), "no_user", /sub.*is missing/],
    ["an empty sub", token({ sub: "" }), "no_user"],
    ["a sub that is null", token({ sub: null }), "no_user"],
    ["a sub that is an object", token({ sub: { name: "ada" } }), "no_user"],
    ["a sub that is a fraction", token({ sub: 0.5 }), "no_user"],
    ["a sub beyond exact numbers", token('{"sub":9007199254740993}'), "no_user"],
    ["a sub with half a character", token('{"sub":"ada\\ud800"}'), "no_user"],
    [
      "a user claim that every object has",
      good,
      "no_user",
      undefined,
      { publicKey, userClaim: "constructor" },
    ],
    ["no iss", token({ aud: "chat" }), "wrong_issuer", /no issuer.*must be/, bounded],
    ["another iss", token({ ...fitting, iss: "https://evil.example" }), "wrong_issuer", /another/, bounded],
    ["an iss that is a list", token({ ...fitting, iss: bounded.issuer }), "wrong_issuer", undefined, bounded],
    ["no aud", token({ iss: fitting.iss }), "wrong_audience", /no audience.*chat/, bounded],
    ["another aud", token({ ...fitting, aud: ["mail"] }), "wrong_audience", /another/, bounded],
    [
      "an aud that is an object",
      token({ ...fitting, aud: { chat: 1 } }),
      "wrong_audience",
      undefined,
      bounded,
    ],
    ["another key", makeToken({ alg: "ES256" }, claims, stranger.privateKey), "bad_signature"],
    [
      "another key of another kind",
      makeToken({ alg: "ES384" }, claims, pairs["P-384"].privateKey),
      "algorithm_refused",
    ],
    ["a kid that no key has", token({}, { alg: "ES256", kid: "b" }), "unknown_key", /kid "b"/, named],
    [
      "a kid that every object has",
      token({}, { alg: "ES256", kid: "__proto__" }),
      "unknown_key",
      undefined,
      named,
    ],
    [
      "a kid that is a path",
      token({}, { alg: "ES256", kid: "../../dev/null" }),
      "unknown_key",
      undefined,
      named,
    ],
    ...(["jwk", "jku", "x5u", "x5c"] as const).map((member): (typeof cases)[number] => [
      `a key of its own in ${member}`,
      makeToken({ alg: "ES256", [member]: ownKey[member] }, claims, stranger.privateKey),
      "bad_signature",
    ]),
  ];

  for (const [name, refused, code, message, options = { publicKey }] of cases) {
    test(name, async () => {
      await assert.rejects((await create(options)).verify(refused), failsWith(code, message));
    });
  }
});

describe("a token that is as it should be is taken", () => {
  const fitting = { iss: "a", aud: "x" };
  const cases: [string, object | string, JwtOptions?, object?][] = [
    ["without an exp", { exp: undefined }],
    ["with an exp of a fraction", { exp: startSecond + 0.5 }],
    ["with an exp within the tolerance for clocks", { exp: startSecond - 4 }],
    ["with an nbf within the tolerance for clocks", { nbf: startSecond + 5 }],
    ["with an iat to come, which says nothing", { iat: startSecond + 1000 }],
    ["with one of several issuers", fitting, { publicKey, issuer: ["b", "a"] }],
    ["with one of several audiences", fitting, { publicKey, audience: ["y", "x"] }],
    ["with a kid, where the only key has none", {}, { publicKey }, { alg: "ES256", kid: "any" }],
    ["with a type of its own", {}, { publicKey }, { alg: "ES256", typ: "at+jwt" }],
  ];
  for (const [name, changed, options = { publicKey }, header = { alg: "ES256" }] of cases) {
    test(name, async () => {
      assert.equal((await (await create(options)).verify(token(changed, header))).user, "ada-lovelace");
    });
  }

  test("its user is a claim of choice, a text or a whole number, as it is", async () => {
    for (const [value, user] of [
      ["Ada Lovelace", "Ada Lovelace"],
      ["\u{1f680}", "\u{1f680}"],
      [42, "42"],
      [-1, "-1"],
    ]) {
      const verifier = await create({ publicKey, userClaim: "https://example.com/user" });
      const made = token({ "https://example.com/user": value });
      assert.equal((await verifier.verify(made)).user, user);
    }
  });

  test("its claims may have any name", async () => {
    const { claims: read } = await (
      await create({ publicKey })
    ).verify(token('{"sub":"ada","__proto__":{"admin":true}}'));
    assert.equal("admin" in read, false);
    assert.deepEqual(Object.keys(read), ["sub", "__proto__"]);
  });

  test("it expires when its exp and the tolerance have passed, and not before", async () => {
    const moved = new FakeClock(start);
    const verifier = await createTokenVerifier({ publicKey, clockToleranceMs: 1500 }, { clock: moved });
    const { expiresAt } = await verifier.verify(good);
    assert.equal(expiresAt, startSecond * 1000 + 61_500);
    moved.set(61_499 + startSecond * 1000);
    await verifier.verify(good);
    moved.set(62_000 + startSecond * 1000);
    await assert.rejects(verifier.verify(good), failsWith("expired"));
  });
});

describe("whatever is done to a token", () => {
  const damaged = [
    ...Array.from(good, (_, at) => good.slice(0, at)),
    ...Array.from(good, (_, at) => good.slice(at + 1)),
    // The last character of a signature has bits that mean nothing.
    ...Array.from(
      good.slice(0, -1),
      (letter, at) => good.slice(0, at) + (letter === "A" ? "B" : "A") + good.slice(at + 1),
    ),
    ...Array.from(good, (_, at) => `${good.slice(0, at)}.${good.slice(at)}`),
  ];

  test("cut short, or with one character changed, it is refused", async () => {
    const verifier = await create({ publicKey });
    for (const each of damaged) {
      await assert.rejects(verifier.verify(each), (error) => error instanceof IdentityError);
    }
  });

  test("nothing of it is in an error", async () => {
    const verifier = await create({ publicKey, audience: "chat" });
    for (const each of [good, token({ aud: "mail", exp: 0 }), token({ exp: "x" }), ...damaged]) {
      const error = await verifier.verify(each).catch((caught: unknown) => caught);
      assert.ok(error instanceof IdentityError);
      assert.equal(error.cause, undefined);
      const shown =
        inspect(error, { depth: 20, showHidden: true }) + error.publicMessage + JSON.stringify(error);
      for (const part of [goodHeader, goodClaims, goodSignature, "ada-lovelace"]) {
        assert.ok(!shown.includes(part), shown);
      }
    }
  });
});
