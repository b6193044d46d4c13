import type { Bars, ComparedCase } from "./comparison.ts";
import { contest, type Contestant, type Load } from "./contest.ts";
import { EchoLoad, type EchoLoadOptions } from "./echo-load.ts";
import { ExchangeConversation } from "./exchange.ts";
import type { BenchOptions } from "./options.ts";
import { Program } from "./program.ts";
import { buildPrograms, type Programs } from "./programs.ts";
import type { ShopCall } from "./shop-calls.ts";
import { createShopExchanges, type ExchangeMaker } from "./shop-exchanges.ts";

/** The gateways, by the name that the tables show. */
export const gateways = ["grpc-js", "connect-node", "grpc-gateway", "sluice"] as const;

/** One of {@link gateways}. */
export type GatewayName = (typeof gateways)[number];

/** What the gateways are asked for. */
export interface GatewayCase {
  readonly name: string;
  /** Made in turns; all have the same number of replies. */
  readonly calls: readonly ShopCall[];
  readonly isStream: boolean;
  readonly connections: number;
  /** So many messages go before the first that is counted: V8 has then compiled what it will. */
  readonly warmUpMessages: number;
  readonly bars: Bars<GatewayName>;
}

const warmUpMilliseconds = 300;

/** A load that connects anew for each run: a server may close a connection on which nothing happens for seconds. */
class FreshLoad implements Load {
  readonly #options: EchoLoadOptions;

  constructor(options: EchoLoadOptions) {
    this.#options = options;
  }

  async run(milliseconds: number): Promise<number> {
    const load = await EchoLoad.open(this.#options);
    try {
      return await load.run(milliseconds);
    } finally {
      load.close();
    }
  }

  close(): void {}
}

/**
 * Compares the gateways, each before a backend of its own: CPU of the gateway process for each message of a reply.
 * Rejects where Go is missing.
 */
export async function gatewayContest(
  cases: readonly GatewayCase[],
  options: BenchOptions,
): Promise<ComparedCase<GatewayName>[]> {
  const programs = await buildPrograms();
  const exchangeOf = createShopExchanges(programs.descriptors);
  const chosen = cases.filter(({ name }) => name.includes(options.only));
  const measured = await contest(gateways, options, (name) => start(name, programs, exchangeOf, chosen));
  return chosen.flatMap(({ name, bars }, index) => {
    const costs = measured[index];
    return costs === undefined ? [] : [{ name, ...costs, bars }];
  });
}

async function start(
  name: GatewayName,
  programs: Programs,
  exchangeOf: ExchangeMaker,
  cases: readonly GatewayCase[],
): Promise<Contestant> {
  const backend = await Program.start("backend", programs.backend, [programs.order]);
  const gateway = await startGateway(name, programs, `127.0.0.1:${backend.port}`);
  const dialect = name === "connect-node" ? "connect" : "rest";
  const loads: Load[] = [];
  for (const { calls, isStream, connections, warmUpMessages } of cases) {
    const exchanges = calls.map((call) => exchangeOf(call, dialect, isStream));
    const load = new FreshLoad({
      port: gateway.port,
      connections,
      upgrade: false,
      createConversation: () => new ExchangeConversation(exchanges),
    });
    loads.push(load);
    for (let messages = 0; messages < warmUpMessages;) messages += await load.run(warmUpMilliseconds);
  }
  const stop = async (): Promise<void> => {
    await gateway.stop();
    await backend.stop();
  };
  return { server: { cpu: () => gateway.cpu(), stop }, loads };
}

function startGateway(name: GatewayName, programs: Programs, backend: string): Promise<Program> {
  const { goGateway, nodeGateway, descriptors } = programs;
  if (name === "grpc-gateway") return Program.start(name, goGateway, [backend]);
  return Program.start(name, process.execPath, [nodeGateway, name, backend, descriptors]);
}
