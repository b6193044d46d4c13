/**
 * `npm run conformance:protobuf`: runs the protobuf conformance suite on the codec, once with the codec
 * that does without code generation, and beside them on protobuf-es.
 * Exits with 1 when a case fails that is not in `known-failures.txt`, or when the codec passes fewer than protobuf-es.
 */
import { execFile } from "node:child_process";
import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { countOf, type Count } from "./count.ts";
import { installSuite, type Suite } from "./runner.ts";

const run = promisify(execFile);
const out = fileURLToPath(new URL("../out/protobuf", import.meta.url));
const knownFailures = fileURLToPath(new URL("known-failures.txt", import.meta.url));

/** Compiles the messages of the suite into a descriptor set; answers its path. */
async function compileMessages(include: string): Promise<string> {
  const protoc = createRequire(import.meta.url).resolve("protoc/package.json");
  const set = join(out, "messages.binpb");
  await run(process.execPath, [
    join(dirname(protoc), "protoc.cjs"),
    `--proto_path=${include}`,
    "--include_imports",
    `--descriptor_set_out=${set}`,
    "conformance/conformance.proto",
    ...["proto2", "proto3", "proto2_editions", "proto3_editions", "edition2023"].map(
      (name) => `google/protobuf/test_messages_${name}.proto`,
    ),
  ]);
  return set;
}

/** What is tested: a name that `subject.ts` knows, and flags for Node.js. */
interface Subject {
  readonly title: string;
  readonly name: "sluice" | "protobuf-es";
  readonly flags: string;
}

const subjects: readonly Subject[] = [
  { title: "sluice", name: "sluice", flags: "" },
  {
    title: "sluice without code generation",
    name: "sluice",
    flags: "--disallow-code-generation-from-strings",
  },
  { title: "protobuf-es", name: "protobuf-es", flags: "" },
];

/** Runs the suite on a subject; prints how many cases pass, and which do not. */
async function runSuite(
  { command }: Suite,
  { title, name, flags }: Subject,
  messages: string,
): Promise<Count> {
  const folder = join(out, title.replaceAll(" ", "-"));
  await mkdir(folder, { recursive: true });
  const [file = "", ...first] = command;
  const failures = name === "sluice" ? ["--failure_list", knownFailures] : [];
  const args = [
    ...first,
    "--enforce_recommended",
    "--maximum_edition",
    "2023",
    "--output_dir",
    folder,
    ...failures,
  ];
  const testee = fileURLToPath(new URL("testee.sh", import.meta.url));
  const env = { ...process.env, NODE: process.execPath, SUBJECT: name, FLAGS: flags, MESSAGES: messages };
  const said = await run(file, [...args, testee], { env, maxBuffer: 1 << 28 }).then(
    ({ stderr }) => stderr,
    // The suite exits with 1 when a case fails; what else goes wrong has no count in what it said.
    (error: { stderr: string }) => error.stderr,
  );
  const count = countOf(said);
  const cases = count.passed + count.failed.length;
  console.log(`${title}: ${count.passed} of ${cases} pass, ${count.withJson} of them with JSON`);
  for (const failed of count.failed) console.log(`  fails: ${failed}`);
  return count;
}

const suite = await installSuite(out);
const messages = await compileMessages(suite.include);
const counts = [];
for (const subject of subjects) counts.push({ ...subject, ...(await runSuite(suite, subject, messages)) });

const known = (await readFile(knownFailures, "utf8")).split("\n").filter((line) => /^[^#\s]/.test(line));
const reference = counts.find(({ name }) => name === "protobuf-es")?.passed ?? 0;
for (const { name, passed, failed } of counts) {
  if (name !== "sluice") continue;
  if (passed < reference || failed.some((each) => !known.includes(each))) process.exitCode = 1;
}
