import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { createAuthenticator } from "../src/identity/authenticator.ts";
import { IdentityError } from "../src/identity/identity-error.ts";
import type { IdentityOptions, JwtOptions } from "../src/identity/identity-options.ts";
import { createTokenVerifier } from "../src/identity/token-verifier.ts";
import { validateIdentityOptions } from "../src/identity/validate-options.ts";
import { jwkOf, pairs, pemOf } from "./identity-support.ts";

const secret = "x".repeat(64);
const publicKey = pemOf(pairs["P-256"]);
const url = "https://login.example.com/jwks.json";

describe("options that are wrong are named, with what to do", () => {
  const jwtCases: [JwtOptions, string, RegExp][] = [
    [{}, "jwt", /exactly one of secret, secretFile, publicKey, publicKeyFile, jwks; none of them/],
    [{ secret, jwks: url }, "jwt", /exactly one of .*; secret and jwks are given$/],
    [
      { secret: "x".repeat(31) },
      "jwt.secret",
      /31 bytes, and HS256 needs 32 at least .*openssl rand -hex 32$/,
    ],
    [{ secret: "é".repeat(15) }, "jwt.secret", /has 30 bytes/],
    [{ secret: "x".repeat(63), algorithms: ["HS256", "HS512"] }, "jwt.secret", /HS512 needs 64 at least/],
    [
      { secret, algorithms: ["RS256"] },
      "jwt.algorithms",
      /RS256, which is none for a secret; those are HS256/,
    ],
    [{ publicKey, algorithms: ["HS256"] }, "jwt.algorithms", /HS256, which is none for a public key/],
    [{ jwks: url, algorithms: ["HS256"] }, "jwt.algorithms", /HS256, which is none for a public key/],
    // As a configuration file may have it.
    [{ publicKey, algorithms: ["none" as "RS256"] }, "jwt.algorithms", /has none, which is none/],
    [{ publicKey, algorithms: [] }, "jwt.algorithms", /is empty/],
    [{ publicKey, issuer: "" }, "jwt.issuer", /is empty/],
    [{ publicKey, issuer: [] }, "jwt.issuer", /is empty/],
    [{ publicKey, audience: ["a", ""] }, "jwt.audience", /is empty/],
    [{ publicKey, userClaim: "" }, "jwt.userClaim", /is empty/],
    [{ publicKey, clockToleranceMs: -1 }, "jwt.clockToleranceMs", /whole number from 0 to 2147483647/],
    [{ publicKey, clockToleranceMs: NaN }, "jwt.clockToleranceMs", /whole number from 0 to 2147483647/],
    [{ publicKey, clockToleranceMs: Infinity }, "jwt.clockToleranceMs", /whole number from 0 to 2147483647/],
    [{ publicKey, maxTokenBytes: 0 }, "jwt.maxTokenBytes", /whole number from 1/],
    [{ jwks: { url, timeoutMs: 0.5 } }, "jwt.jwks.timeoutMs", /whole number/],
    [{ jwks: { url, timeoutMs: 2 ** 31 } }, "jwt.jwks.timeoutMs", /to 2147483647$/],
    [{ jwks: "login.example.com" }, "jwt.jwks", /is not a URL/],
    [{ jwks: "ftp://login.example.com/" }, "jwt.jwks", /has the scheme ftp:, and must have https:/],
    [{ jwks: "file:///etc/passwd" }, "jwt.jwks", /has the scheme file:/],
    [{ jwks: "https://ada:s3cret@login.example.com/" }, "jwt.jwks", /has a user or a password/],
    [{ jwks: "http://login.example.com/" }, "jwt.jwks", /http: to another machine/],
    [{ jwks: { url: "http://127.0.0.1.example.com/" } }, "jwt.jwks.url", /http: to another machine/],
    [{ jwks: { url: "http://localhost.example.com/" } }, "jwt.jwks.url", /http: to another machine/],
    [{ jwks: { url: "http://0.0.0.0/" } }, "jwt.jwks.url", /http: to another machine/],
    ...(["refreshMs", "cooldownMs", "timeoutMs", "maxBytes"] as const).map(
      (limit): [JwtOptions, string, RegExp] => [
        { jwks: { url, [limit]: 0 } },
        `jwt.jwks.${limit}`,
        /whole number from 1 to 2147483647/,
      ],
    ),
  ];
  const cases: [IdentityOptions, string, RegExp][] = [
    ...jwtCases.map(([jwt, ...rest]): [IdentityOptions, string, RegExp] => [{ jwt }, ...rest]),
    [{ jwt: { secret }, from: [] }, "from", /from is empty/],
    [
      { jwt: { secret }, from: [{ header: "X Token" }] },
      "from",
      /from has "x token", which is no name of a header/,
    ],
    [{ jwt: { secret }, from: ["header", { cookie: "a;b" }] }, "from", /"a;b", which is no name of a cookie/],
    [{ jwt: { secret }, from: [{ query: "" }] }, "from", /"", which is no name of a query/],
    [
      { jwt: { secret }, from: ["message"], required: false },
      "required",
      /first message must send one; choose/,
    ],
  ];
  for (const [options, option, message] of cases) {
    test(`${option}: ${message.source}`, async () => {
      const problems = validateIdentityOptions(options);
      assert.deepEqual(
        problems.map((each) => each.option),
        [option],
      );
      assert.match(problems[0]?.message ?? "", message);
      assert.doesNotMatch(problems[0]?.message ?? "", /s3cret|xxx/);
      await assert.rejects(createAuthenticator(options), (error) => {
        assert.ok(error instanceof IdentityError);
        assert.deepEqual([error.code, error.option], ["options_invalid", option]);
        return message.test(error.message);
      });
    });
  }

  test("all of them at once", () => {
    const options = { jwt: { secret: "short", userClaim: "" }, from: [] };
    assert.deepEqual(
      validateIdentityOptions(options).map(({ option }) => option),
      ["jwt.secret", "jwt.userClaim", "from"],
    );
  });
});

describe("options that are right", () => {
  const cases: IdentityOptions[] = [
    { jwt: { secret } },
    { jwt: { secret: "x".repeat(32), algorithms: ["HS256"] }, from: ["message"] },
    { jwt: { jwks: url, issuer: ["a"], audience: "b", clockToleranceMs: 0 }, required: false },
    { jwt: { jwks: { url: "http://login.example.com/", insecure: true } } },
    ...["http://localhost:8080/", "http://127.1/", "http://127.9.9.9/", "http://[::1]/"].map((jwks) => ({
      jwt: { jwks },
    })),
  ];
  for (const options of cases) {
    test(JSON.stringify(options).slice(0, 80), () => assert.deepEqual(validateIdentityOptions(options), []));
  }
});

describe("a key that cannot be used is refused at the start", () => {
  let folder: string;
  before(async () => (folder = await mkdtemp(join(tmpdir(), "sluice-identity-"))));
  after(() => rm(folder, { recursive: true }));

  const pkcs8 = pairs.rsa.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const weak = generateKeyPairSync("rsa", { modulusLength: 1024 });
  const cases: [string, string, RegExp][] = [
    ["a private key", pkcs8, /is a private key; give only its public half: openssl pkey/],
    ["one behind a public key", publicKey + pkcs8, /is a private key/],
    [
      "a private JWK",
      JSON.stringify(pairs.rsa.privateKey.export({ format: "jwk" })),
      /key 1 is a private key/,
    ],
    ["a secret", JSON.stringify({ kty: "oct", k: "AAAA" }), /key 1 is a secret/],
    ["an RSA key of 1,024 bits", pemOf(weak), /RSA key of 1024 bits, and needs 2048/],
    ["PEM that is cut", publicKey.slice(0, 60), /neither a public key in PEM/],
    ["a word", "s3cret", /neither a public key in PEM .* nor a JWK or JWK Set in JSON$/],
    ["nothing", "", /neither/],
    ["a list", "[]", /key 1 is not a JSON object/],
    ["an empty set", '{"keys":[]}', /no key for signatures/],
    ["a key for encryption", JSON.stringify(jwkOf(pairs.rsa, { use: "enc" })), /no key for signatures/],
    ["keys that are no list", '{"keys":1}', /has keys that are not a list/],
    [
      "a curve of Bitcoin",
      pemOf(generateKeyPairSync("ec", { namedCurve: "secp256k1" })),
      /no key for signatures/,
    ],
    ["Ed448", pemOf(generateKeyPairSync("ed448")), /no key for signatures of a known kind/],
  ];
  for (const [name, text, message] of cases) {
    test(name, async () => {
      const file = join(folder, "key");
      await writeFile(file, text);
      for (const options of [{ publicKey: text }, { publicKeyFile: file }]) {
        const [option] = Object.keys(options);
        await assert.rejects(createTokenVerifier(options), (error) => {
          assert.ok(error instanceof IdentityError);
          assert.deepEqual([error.code, error.option], ["options_invalid", `jwt.${option}`]);
          assert.match(error.message, message);
          return !error.message.includes("s3cret");
        });
      }
    });
  }

  test("a secret in a file that is too short, without the end of its line", async () => {
    const secretFile = join(folder, "secret");
    await writeFile(secretFile, `${"x".repeat(31)}\n`);
    await assert.rejects(
      createTokenVerifier({ secretFile }),
      /jwt\.secretFile has 31 bytes, and HS256 needs 32/,
    );
  });

  test("a file that is not there", async () => {
    for (const option of ["secretFile", "publicKeyFile"]) {
      await assert.rejects(
        createTokenVerifier({ [option]: join(folder, "nowhere") }),
        new RegExp(`jwt\\.${option} "${folder}/nowhere" cannot be read \\(ENOENT\\)`),
      );
    }
  });

  test("an algorithm that the key is not for", async () => {
    await assert.rejects(
      createTokenVerifier({ publicKey, algorithms: ["ES256", "RS256"] }),
      /jwt\.algorithms has RS256, and the key is one for ES256$/,
    );
  });
});
