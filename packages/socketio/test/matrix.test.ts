import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { acknowledging } from "./support/matrix/acknowledging.ts";
import { connecting } from "./support/matrix/connecting.ts";
import { ending } from "./support/matrix/ending.ts";
import { eventing } from "./support/matrix/eventing.ts";
import { recovering } from "./support/matrix/recovering.ts";
import { rooming } from "./support/matrix/rooming.ts";
import { type Behaviour, Cell, type Column, type Way, ways } from "./support/matrix/cell.ts";
import { MatrixServers, parserNames } from "./support/matrix/servers.ts";
import { isSince, stockClients } from "./support/stock-clients.ts";

const deadlineMs = 20_000;

const everywhere: readonly Column[] = stockClients.flatMap((client) =>
  (Object.keys(ways) as Way[]).flatMap((way) =>
    parserNames.map((parser) => ({ client, way, parser, isOfHub: false })),
  ),
);

// A hub changes nothing for a client, the oldest and the newest.
const ofHub = everywhere
  .filter(({ client, parser }) => ["2.5.0", "4.8.4"].includes(client.version) && parser === "default")
  .map((column) => ({ ...column, isOfHub: true }));

const columns = [...everywhere, ...ofHub];

const servers = new MatrixServers();
let cells = 0;

/** Tells what failed in a place of the matrix, and nothing where it went well. */
async function failureOf({ run, profile = "plain" }: Behaviour, column: Column): Promise<string | undefined> {
  const cell = new Cell(column, servers, profile, `${++cells}`);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing for ${deadlineMs} ms`)), deadlineMs);
  });
  try {
    await Promise.race([run(cell), late]);
    return undefined;
  } catch (error) {
    const { client, way, parser, isOfHub } = column;
    const where = `${client.version}, ${way}, parser ${parser}${isOfHub ? ", of a hub" : ""}`;
    return `${where}: ${error instanceof Error ? error.stack : String(error)}`;
  } finally {
    clearTimeout(timer);
    cell.close();
  }
}

before(() => servers.start());
after(() => servers.close());

for (const [area, behaviours] of Object.entries({
  connecting,
  eventing,
  acknowledging,
  rooming,
  ending,
  recovering,
})) {
  describe(`The stock clients, ${area}`, () => {
    for (const behaviour of behaviours) {
      const { name, since = "0", except = () => false } = behaviour;
      const those = columns.filter((column) => isSince(column.client.version, since) && !except(column));
      test(`each of ${those.length} ${name}`, async () => {
        const failures = await Promise.all(those.map((column) => failureOf(behaviour, column)));
        const told = failures.filter((failure) => failure !== undefined);
        if (told.length > 0) assert.fail(told.join("\n"));
      });
    }
  });
}
