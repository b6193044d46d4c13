import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ConfigError } from "../../src/config/config-error.ts";
import { maxFileBytes, YamlFile } from "../../src/config/yaml-file.ts";
import { ConfigFolder, least } from "./support.ts";

const folder = new ConfigFolder();

describe("a file that is no configuration is told with the place", () => {
  const table: readonly [what: string, text: string | Buffer, expected: readonly (string | RegExp)[]][] = [
    ["a key that is there twice", "listen: a:1\nlog: {}\nlisten: b:2\n", ["3:1: listen is there twice"]],
    [
      "a key that is there twice, deep down",
      "backends:\n  a: { target: x:1 }\n  a: { target: y:1 }\n",
      ["3:3: a is there twice"],
    ],
    ["a tab", "log:\n\tlevel: info\n", ["2:1: YAML has no tabs before a key or an item; use spaces"]],
    [
      "several documents",
      "listen: a:1\n---\nlisten: b:2\n",
      ["2:1: one file is one configuration; a second document begins here"],
    ],
    [
      "an alias of nothing",
      "files: *here\n",
      ["1:8: an alias (*) must name an anchor (&) that comes before it"],
    ],
    ["a tag that is not known", "files: !folder x\n", [/^1:8: Unresolved tag: !folder$/]],
    [
      "a variable without quotes within braces",
      "backends: { a: { target: ${HOST}:1 } }\n",
      [/^1:27: within \{ \} and \[ \], put what has \$\{…\} in quotes/],
    ],
    ["a list", "- a\n", ["1:1: the configuration must be a mapping, and is a list"]],
    ["a text", "hello\n", ["1:1: the configuration must be a mapping, and is text"]],
    ["a mapping that is not closed", "log: { level: info\n", [/^2:1: Flow map/]],
    ["lists within lists", `files: ${"[".repeat(100_000)}`, [/lists and mappings are nested too deeply$/]],
    ["lists within lists, with dashes", `files: \n  ${"- ".repeat(1_000)}`, [/nested too deeply$/]],
    [
      "mappings within mappings",
      Array.from({ length: 300 }, (_, i) => `${" ".repeat(i)}a:`).join("\n"),
      [/nested too deeply$/],
    ],
    ["mappings in braces", `files: ${"{a: ".repeat(50_000)}`, [/nested too deeply$/]],
    ["bytes that are no text", Buffer.from([0xff, 0xfe, 0]), [/it is not UTF-8 text$/]],
    [
      "a huge file",
      "#".repeat(maxFileBytes + 1),
      [/it has more than 1048576 bytes; that is no configuration$/],
    ],
    [
      "anchors that unfold into millions",
      `a: &a [${"x,".repeat(9)}x]\nb: &b [${"*a,".repeat(9)}*a]\nc: &c [${"*b,".repeat(9)}*b]\norigins: *c\n`,
      [/what anchors name may be used 100 times in all/],
    ],
    [
      "an anchor within itself",
      "origins: &a [*a]\n",
      [/^1:14: origins\[0\] must be a scheme and a host|100 times/],
    ],
  ];
  for (const [what, text, expected] of table) {
    test(what, () => {
      const found = folder.problems(text);
      assert.equal(found.length, expected.length, found.join("\n"));
      for (const [index, each] of expected.entries()) {
        const problem = found[index] ?? "";
        if (typeof each === "string") assert.equal(problem, each);
        else assert.match(problem, each);
      }
    });
  }
});

describe("a file that cannot be read", () => {
  const table: readonly [what: string, file: string, expected: string][] = [
    ["is not there", "/none/sluice.yaml", "cannot read /none/sluice.yaml: there is no such file"],
    ["is a folder", folder.path, `cannot read ${folder.path}: it is a folder`],
    ["never ends", "/dev/zero", "/dev/zero: it has more than 1048576 bytes; that is no configuration"],
  ];
  for (const [what, file, expected] of table) {
    test(what, () =>
      assert.throws(
        () => YamlFile.read(file),
        (error) => error instanceof ConfigError && error.message === expected,
      ),
    );
  }
});

/** Why a configuration of this text is refused. */
function message(text: string): string {
  try {
    folder.load(text);
    return "";
  } catch (error) {
    return error instanceof ConfigError ? error.message.replaceAll(folder.path, "") : "";
  }
}

test("a problem is shown with its line and a mark, also behind tabs, and without secrets", () => {
  assert.equal(
    message("# a comment\nlisten:\t8080\n"),
    "/sluice.yaml:2:9: listen must be HOST:PORT, as in 127.0.0.1:8080, 0.0.0.0:8080 or [::1]:8080\n" +
      "  2 | listen:\t8080\n    |        \t^",
  );
  const secret = message(
    `${least}push: { tokn: a, token: "the-only-secret" }\nidentity: { jwt: { secret: hush, x: 1 } }\n`,
  );
  assert.match(secret, /push: \{ tokn: …|token: …/);
  assert.doesNotMatch(secret, /the-only|hush/);
});

test("the line of a secret is not shown, wherever the secret stands in it", () => {
  const faces = "faces: { sse: { path: /e } }\n";
  for (const [text, place] of [
    ["identity:\n  jwt:\n    secret:\n      hush-hush\n", ":6:7: identity: jwt.secret"],
    ["push:\n  token:\n    - { hush: hush }\n", ":5:7: push.token"],
    ["callbacks: { backend: orders, metadata: { x: hush-é } }\n", ":3:46: callbacks.metadata.x must be"],
    [
      "callbacks: { backend: orders, metadata: { authorization: hush }, hooks: 1 }\n",
      ":3:73: callbacks.hooks",
    ],
  ] as const) {
    const found = message(`${least}${faces}${text}`);
    assert.ok(found.includes(place), found);
    assert.doesNotMatch(found, /hush/);
  }
});

test("anchors and merge keys serve to say something once", () => {
  const { config } = folder.load(
    "backends:\n  a: &common { target: a:1, timeout: 5s, retry: true }\n  b: { <<: *common, target: b:1 }\n",
  );
  const { a, b } = config.backends;
  assert.deepEqual([a?.target, a?.timeout, b?.target, b?.timeout], [["a:1"], 5_000, ["b:1"], 5_000]);
  assert.deepEqual(b?.retry, a?.retry);
});

test("what is wrong with a merged value is told where the merge is", () => {
  const found = folder.problems(
    "backends:\n  a: &common { target: a:1, timeout: soon }\n  b:\n    <<: *common\n    target: b:1\n",
  );
  assert.deepEqual(
    found.map((each) => /^\d+/.exec(each)?.[0]),
    ["2", "4"],
  );
});
