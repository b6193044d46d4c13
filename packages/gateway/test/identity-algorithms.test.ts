import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { publicKeyAlgorithms, secretAlgorithms, type Algorithm } from "../src/identity/algorithms.ts";
import type { JwtOptions } from "../src/identity/identity-options.ts";
import { createTokenVerifier, type TokenVerifier } from "../src/identity/token-verifier.ts";
import {
  encode,
  failsWith,
  jwkOf,
  kindOf,
  makeToken,
  pairs,
  pemOf,
  signatureOf,
  start,
  startSecond,
  type SigningKey,
} from "./identity-support.ts";

const secret = "a secret of sixty-four bytes, which is enough for all algorithms";
const claims = { sub: "ada", exp: startSecond + 60, roles: ["admin"] };

function create(options: JwtOptions): Promise<TokenVerifier> {
  return createTokenVerifier(options, { clock: new FakeClock(start) });
}

let folder: string;
before(async () => (folder = await mkdtemp(join(tmpdir(), "sluice-identity-"))));
after(() => rm(folder, { recursive: true }));

async function file(content: string | Buffer): Promise<string> {
  const path = join(folder, `${Math.random()}`);
  await writeFile(path, content);
  return path;
}

describe("a token of each algorithm is checked", () => {
  for (const alg of secretAlgorithms) {
    test(`${alg} with a secret`, async () => {
      const verifier = await create({ secret });
      assert.deepEqual(await verifier.verify(makeToken({ alg }, claims, Buffer.from(secret))), {
        user: "ada",
        claims,
        expiresAt: start + 65_000,
      });
      const forged = makeToken({ alg }, claims, Buffer.from(`${secret}!`));
      await assert.rejects(verifier.verify(forged), failsWith("bad_signature"));
    });
  }

  for (const alg of publicKeyAlgorithms) {
    const pair = pairs[kindOf[alg]];
    for (const [form, publicKey] of Object.entries({
      PEM: pemOf(pair),
      JWK: JSON.stringify(jwkOf(pair, { kid: "k" })),
      "JWK Set": JSON.stringify({ keys: Object.values(pairs).map((each) => jwkOf(each)) }),
    })) {
      test(`${alg} with a public key as ${form}`, async () => {
        const verifier = await create({ publicKey });
        const token = makeToken({ alg, kid: "k", typ: "JWT" }, claims, pair.privateKey);
        assert.deepEqual((await verifier.verify(token)).claims, claims);
        const [header, payload, signature] = token.split(".");
        const other = encode({ ...claims, sub: "eve" });
        await assert.rejects(verifier.verify(`${header}.${other}.${signature}`), failsWith("bad_signature"));
        await assert.rejects(verifier.verify(`${header}.${payload}.`), failsWith("bad_signature"));
      });
    }
  }

  test("each refuses the signature of every other with the same key", async () => {
    for (const named of publicKeyAlgorithms) {
      const verifier = await create({ publicKey: pemOf(pairs[kindOf[named]]) });
      for (const signed of publicKeyAlgorithms) {
        if (kindOf[named] !== kindOf[signed] || (kindOf[named] === "ed25519" && signed.startsWith("Ed")))
          continue;
        if (named === signed) continue;
        const token = makeToken({ alg: named }, claims, pairs[kindOf[signed]].privateKey, signed);
        await assert.rejects(verifier.verify(token), failsWith("bad_signature"));
      }
    }
  });
});

describe("the examples of RFC 7515", () => {
  const payload =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
  const clock = new FakeClock(start);
  clock.set(1_300_819_379_000);
  const expected = {
    user: "joe",
    claims: { iss: "joe", exp: 1_300_819_380, "http://example.com/is_root": true },
    expiresAt: 1_300_819_385_000,
  };

  test("A.1 with HS256, its secret in a file of bytes", async () => {
    const key = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    const secretFile = await file(Buffer.from(key, "base64url"));
    const verifier = await createTokenVerifier({ secretFile, userClaim: "iss" }, { clock });
    const token = `eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.${payload}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk`;
    assert.deepEqual(await verifier.verify(token), expected);
  });

  test("A.3 with ES256, its key as a JWK", async () => {
    const publicKey = JSON.stringify({
      kty: "EC",
      crv: "P-256",
      x: "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
      y: "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    });
    const verifier = await createTokenVerifier({ publicKey, userClaim: "iss" }, { clock });
    const signature =
      "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    assert.deepEqual(await verifier.verify(`eyJhbGciOiJFUzI1NiJ9.${payload}.${signature}`), expected);
  });
});

describe("an algorithm is never chosen by the token", () => {
  const publicKey = pemOf(pairs.rsa);

  test("a public key never checks an HMAC, in whatever form an attacker takes it", async () => {
    const der = pairs.rsa.publicKey.export({ type: "spki", format: "der" });
    const jwk = JSON.stringify(jwkOf(pairs.rsa));
    for (const key of [publicKey, publicKey.trim(), jwk, der, ""]) {
      for (const alg of secretAlgorithms) {
        const token = makeToken({ alg }, claims, Buffer.from(key));
        await assert.rejects((await create({ publicKey })).verify(token), failsWith("algorithm_refused"));
        await assert.rejects(
          (await create({ publicKey: jwk })).verify(token),
          failsWith("algorithm_refused"),
        );
      }
    }
  });

  test("a secret never checks a signature", async () => {
    const verifier = await create({ secret });
    for (const alg of publicKeyAlgorithms) {
      const token = makeToken({ alg }, claims, pairs[kindOf[alg]].privateKey);
      await assert.rejects(verifier.verify(token), failsWith("algorithm_refused"));
    }
  });

  test("`none`, in any case, with or without a signature, is refused", async () => {
    for (const options of [{ secret }, { publicKey }]) {
      const verifier = await create(options);
      for (const alg of ["none", "None", "NONE", "nOnE", "", "rs256", "hs256", "__proto__", "constructor"]) {
        const unsigned = `${encode({ alg })}.${encode(claims)}.`;
        const signed = unsigned + signatureOf("HS256", Buffer.from(secret), unsigned).toString("base64url");
        await assert.rejects(verifier.verify(unsigned), failsWith("algorithm_refused"));
        await assert.rejects(verifier.verify(signed), failsWith("algorithm_refused"));
      }
    }
  });

  const allowed: [JwtOptions, Algorithm, SigningKey][] = [
    [{ secret, algorithms: ["HS512"] }, "HS256", Buffer.from(secret)],
    [{ publicKey, algorithms: ["PS256", "PS384"] }, "RS256", pairs.rsa.privateKey],
    [{ publicKey: pemOf(pairs.ed25519), algorithms: ["EdDSA"] }, "Ed25519", pairs.ed25519.privateKey],
  ];
  for (const [options, alg, key] of allowed) {
    test(`${alg} is refused where ${options.algorithms?.join(" and ")} are allowed`, async () => {
      const verifier = await create(options);
      await assert.rejects(
        verifier.verify(makeToken({ alg }, claims, key)),
        failsWith(
          "algorithm_refused",
          new RegExp(`"${alg}"; allowed are ${options.algorithms?.join(", ")}$`),
        ),
      );
    });
  }

  test("a secret is for the algorithms that it is long enough for", async () => {
    const short = secret.slice(0, 40);
    const verifier = await create({ secret: short });
    await verifier.verify(makeToken({ alg: "HS256" }, claims, Buffer.from(short)));
    await assert.rejects(
      verifier.verify(makeToken({ alg: "HS384" }, claims, Buffer.from(short))),
      failsWith("algorithm_refused"),
    );
  });

  test("a key whose JWK names an algorithm is for that one only", async () => {
    const verifier = await create({ publicKey: JSON.stringify(jwkOf(pairs.rsa, { alg: "RS256" })) });
    await verifier.verify(makeToken({ alg: "RS256" }, claims, pairs.rsa.privateKey));
    await assert.rejects(
      verifier.verify(makeToken({ alg: "PS256" }, claims, pairs.rsa.privateKey)),
      failsWith("algorithm_refused"),
    );
  });
});

describe("a key comes from a file", () => {
  test("a secret in a line of text is taken without its end", async () => {
    for (const end of ["", "\n", "\r\n"]) {
      const verifier = await create({ secretFile: await file(secret + end) });
      await verifier.verify(makeToken({ alg: "HS512" }, claims, Buffer.from(secret)));
    }
  });

  test("a secret of bytes is taken whole, also where the last is a line end", async () => {
    const bytes = Buffer.concat([Buffer.alloc(40, 0xe4), Buffer.from("\n")]);
    const verifier = await create({ secretFile: await file(bytes) });
    await verifier.verify(makeToken({ alg: "HS256" }, claims, bytes));
  });

  test("a public key in PEM", async () => {
    const verifier = await create({ publicKeyFile: await file(pemOf(pairs.ed25519)) });
    await verifier.verify(makeToken({ alg: "EdDSA" }, claims, pairs.ed25519.privateKey));
  });
});
