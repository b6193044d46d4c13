import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { IdentityError, type IdentityErrorCode } from "../src/identity/identity-error.ts";
import type { JwtOptions } from "../src/identity/identity-options.ts";
import { createTokenVerifier } from "../src/identity/token-verifier.ts";

const run = promisify(execFile);
const secret = "0123456789abcdef0123456789abcdef";

let page: string;
let folder: string;
before(async () => {
  page = await readFile(new URL("../../../docs/identity.md", import.meta.url), "utf8");
  folder = await mkdtemp(join(tmpdir(), "sluice-identity-"));
});
after(() => rm(folder, { recursive: true }));

/** The blocks of a language in the page, in order. */
const blocksOf = (language: string): string[] =>
  [...page.matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, "gs"))].map(([, block = ""]) => block);

/** Makes a token with a script of the page, and checks it. */
async function tryScript(script: string, jwt: JwtOptions): Promise<void> {
  await writeFile(join(folder, "token.mjs"), script);
  const env = { ...process.env, SECRET: secret };
  const { stdout } = await run(process.execPath, ["token.mjs", "ada"], { cwd: folder, env });
  const { user, expiresAt = 0 } = await (await createTokenVerifier(jwt)).verify(stdout.trim());
  assert.equal(user, "ada");
  assert.ok(expiresAt > Date.now());
}

describe("the page about identity", () => {
  test("makes a token with a secret", async () => {
    await tryScript(blocksOf("js")[0] ?? "", { secret, audience: "chat" });
  });

  test("makes a token with a key pair", async () => {
    await run("sh", ["-ec", blocksOf("sh")[0] ?? ""], { cwd: folder });
    await tryScript(blocksOf("js")[1] ?? "", { publicKeyFile: join(folder, "public.pem"), audience: "chat" });
  });

  test("has each error with what the peer is told", () => {
    const table = page.slice(page.indexOf("## What goes wrong"));
    const rows = [...table.matchAll(/^\| (`[a-z_`, ]+`) \| .* \| (.*) \|$/gm)].flatMap(
      ([, codes = "", told]) => codes.split(", ").map((code) => [code.replaceAll("`", ""), told]),
    );
    assert.equal(rows.length, 14);
    for (const [code, told] of rows) {
      assert.equal(new IdentityError(code as IdentityErrorCode, "").publicMessage, told);
    }
  });
});
