import { fileURLToPath } from "node:url";
import {
  fromBinary,
  fromJson,
  fromJsonString,
  toBinary,
  toJsonString,
  type DescMessage,
} from "@bufbuild/protobuf";
import { compileProtos, createCodec, parseJson, type JsonObject } from "@sluice/rpc";
import { rotated } from "./contest.ts";
import type { BenchOptions } from "./options.ts";
import { order } from "./order.ts";
import { ratios, spread } from "./statistics.ts";
import { formatTable } from "./table.ts";

interface Case {
  readonly name: string;
  /** The full name of the message type. */
  readonly type: string;
  /** One after the other, and again. */
  readonly json: readonly JsonObject[];
}

const cases: readonly Case[] = [
  { name: "order", type: "sluice.bench.Order", json: [order] },
  {
    name: "address",
    type: "sluice.bench.Address",
    json: [{ street: "Main Street 1", city: "Springfield", country: "US" }],
  },
  {
    name: "list of 100 orders",
    type: "sluice.bench.OrderList",
    json: [{ orders: Array.from({ length: 100 }, () => order) }],
  },
  {
    name: "settings, never alike",
    type: "sluice.bench.Settings",
    json: Array.from({ length: 1024 }, (_, each) => settings(each)),
  },
];

/** Some of the 40 fields of Settings, other ones for each number. */
function settings(number: number): JsonObject {
  const json: JsonObject = {};
  for (let field = 1; field <= 40; field++) {
    // A cheap hash, so that about a quarter of the fields is there.
    const hash = Math.imul(number * 40 + field, 0x9e3779b1) >>> 24;
    if (hash < 64) json[`option${field}`] = field % 2 === 0 ? hash : `value ${hash}`;
  }
  return json;
}

/** What is measured, one message each time it is called; in both directions the same work for both. */
type Subjects = Readonly<Record<"JSON.parse" | "protobuf-es" | "sluice", () => unknown>>;

function subjectsOf(
  desc: DescMessage,
  messages: readonly JsonObject[],
): { title: string; subjects: Subjects }[] {
  const codec = createCodec(desc);
  const texts = messages.map((json) => JSON.stringify(json));
  const binaries = messages.map((json) => toBinary(desc, fromJson(desc, json)));
  let calls = 0;
  const text = (): string => texts[calls++ % texts.length] ?? "";
  const bytes = (): Uint8Array => binaries[calls++ % binaries.length] ?? new Uint8Array();
  const ignoring = { ignoreUnknownFields: true };
  const floor = (): unknown => JSON.parse(text()) as unknown;
  return [
    {
      title: "JSON → protobuf",
      subjects: {
        "JSON.parse": floor,
        "protobuf-es": () => toBinary(desc, fromJson(desc, JSON.parse(text()) as JsonObject, ignoring)),
        sluice: () => codec.bytesFromJson(JSON.parse(text()) as JsonObject),
      },
    },
    {
      title: "JSON → protobuf, names checked",
      subjects: {
        "JSON.parse": floor,
        "protobuf-es": () => toBinary(desc, fromJsonString(desc, text(), ignoring)),
        sluice: () => codec.bytesFromJson(parseJson(text())),
      },
    },
    {
      title: "protobuf → JSON",
      subjects: {
        "JSON.parse": floor,
        "protobuf-es": () => Buffer.from(toJsonString(desc, fromBinary(desc, bytes()))),
        sluice: () => Buffer.from(codec.jsonFromBytes(bytes())),
      },
    },
  ];
}

/** CPU of transcoding between JSON text and protobuf bytes, beside protobuf-es. Prints a table. */
export async function benchCodec({ rounds, milliseconds, only }: BenchOptions): Promise<void> {
  const { registry } = await compileProtos([fileURLToPath(new URL("protos/order.proto", import.meta.url))]);
  const rows = [["CPU µs per message", "JSON.parse", "protobuf-es", "sluice", "protobuf-es ÷ sluice"]];
  for (const { name, type, json } of cases) {
    if (!name.includes(only)) continue;
    const desc = registry.getMessage(type);
    if (desc === undefined) throw new Error(`no message ${type}`);
    for (const { title, subjects } of subjectsOf(desc, json)) {
      const names = Object.keys(subjects) as (keyof Subjects)[];
      const costs = new Map<string, number[]>(names.map((each) => [each, []]));
      for (const each of names) costOf(subjects[each], milliseconds);
      for (let round = 0; round < rounds; round++) {
        for (const each of rotated(names, round)) costs.get(each)?.push(costOf(subjects[each], milliseconds));
      }
      const of = (each: keyof Subjects): number[] => costs.get(each) ?? [];
      rows.push([
        `${name}: ${title}`,
        ...names.map((each) => spread(of(each))),
        spread(ratios(of("protobuf-es"), of("sluice"))),
      ]);
    }
  }
  console.log(
    "Median (least–most) of the rounds. JSON.parse alone is shown because both begin with it, or could.\n",
  );
  console.log(formatTable(rows));
}

/** µs of CPU for one call, over about so many milliseconds. */
function costOf(work: () => unknown, milliseconds: number): number {
  const { user, system } = process.cpuUsage();
  const until = performance.now() + milliseconds;
  let calls = 0;
  for (; performance.now() < until; calls += 20) for (let each = 0; each < 20; each++) work();
  const spent = process.cpuUsage({ user, system });
  return (spent.user + spent.system) / calls;
}
