/** `npm run bench -- <name>`: compares Sluice with its peers, side by side in one run, and prints the result. */
import { benchBidi } from "./bidi.ts";
import { benchBroadcast } from "./broadcast.ts";
import { benchCodec } from "./codec.ts";
import { benchDeflate } from "./deflate.ts";
import { benchEcho } from "./echo.ts";
import { benchFanout } from "./fanout.ts";
import { benchMemory } from "./memory.ts";
import { readOptions, type BenchOptions } from "./options.ts";
import { benchRest } from "./rest.ts";
import { benchShared } from "./shared.ts";
import { benchSocketIo } from "./socketio.ts";
import { benchStream } from "./stream.ts";

const benches: Record<string, (options: BenchOptions) => Promise<void>> = {
  echo: benchEcho,
  deflate: benchDeflate,
  broadcast: benchBroadcast,
  memory: benchMemory,
  codec: benchCodec,
  rest: benchRest,
  stream: benchStream,
  bidi: benchBidi,
  shared: benchShared,
  fanout: benchFanout,
  socketio: benchSocketIo,
};

/** How many clients a bench has by default, where that is not 5,000. */
const connections: Record<string, number> = { fanout: 10_000, socketio: 2_000 };

function usage(wrong: string): never {
  console.error(wrong);
  console.error(`npm run bench -- <${Object.keys(benches).join(" | ")}> [--rounds 3] [--milliseconds 400]`);
  console.error("  [--connections 5000, of fanout 10000, of socketio 2000] [--only <part of a case's name>]");
  process.exit(2);
}

function optionsOf(name: string, args: readonly string[]): BenchOptions {
  try {
    return readOptions(args, connections[name] ?? 5_000);
  } catch (error) {
    return usage((error as Error).message);
  }
}

const [name = "", ...args] = process.argv.slice(2);
const bench = benches[name] ?? usage(name === "" ? "Which one?" : `There is no bench ${name}.`);
await bench(optionsOf(name, args));
