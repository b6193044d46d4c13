import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { Backend, backendProblems } from "./backend.ts";
import { GatewayProcess } from "./gateway.ts";
import { Ledger, type LedgerCounts } from "./ledger.ts";
import { createBody, type Member } from "./member.ts";
import { Push } from "./push.ts";
import { SessionMember } from "./session-member.ts";
import { SseMember } from "./sse-member.ts";
import { until } from "./until.ts";

/** What came of an outage of the backend. */
export interface OutageReport {
  readonly counts: LedgerCounts;
  /** Of the messages that were sent while the backend was away. */
  readonly sentMeanwhile: number;
  /** Connections that members had: one each, if none was lost. */
  readonly connections: number;
  readonly members: number;
  readonly problems: readonly string[];
}

const room = "room-0";

const config = (backendPort: number): string => `
listen: 127.0.0.1:0
log: { level: silent }
backends:
  soak: { target: "127.0.0.1:${backendPort}", backoff: { initial: 50ms, max: 200ms } }
faces: { websocket: { path: /ws }, sse: { path: /events } }
sessions: { grace: 1s }
callbacks: { backend: soak, hooks: [connect, message, disconnect], timeout: 1s }
rooms: { "${room}": { history: { size: 1000, ttl: 60s }, join: anyone } }
push: { listen: 127.0.0.1:0 }
`;

/**
 * Kills the backend of a gateway with SIGKILL, brings it back after so many milliseconds, and has 20 members speak before,
 * meanwhile and behind it.
 */
export async function outage(awayMs: number): Promise<OutageReport> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-outage-"));
  const backend = new Backend(join(folder, "events"));
  await backend.start();
  const file = join(folder, "sluice.yaml");
  writeFileSync(file, config(backend.port));
  const gateway = await GatewayProcess.start(file);
  const push = new Push(gateway.ports.pushPort);
  const ledger = new Ledger();
  const members: Member[] = Array.from({ length: 20 }, (_, nth) => {
    const options = { name: `member-${nth}`, rooms: [room], port: gateway.ports.port, ledger };
    return nth % 5 === 4 ? new SseMember(options) : new SessionMember(options);
  });
  const speak = (): void => {
    for (const member of members) member.say(room, 100);
  };
  const answered = (): boolean => ledger.counts.unknown === 0;
  try {
    for (const member of members) member.start();
    await until("all members are in", () => members.every(({ isIn }) => isIn));
    speak();
    await until("all that was said before is answered", answered);
    const before = ledger.counts;
    // Some of this is on its way to the backend when it dies.
    speak();
    await backend.kill();
    const end = performance.now() + awayMs;
    while (performance.now() < end) {
      speak();
      await wait(100);
    }
    const sentMeanwhile = sum(ledger.counts) - sum(before);
    await backend.start();
    await until("all that was said meanwhile is answered", answered);
    const { refused, taken } = ledger.counts;
    while (ledger.counts.taken < taken + members.length) {
      speak();
      await until("what is said behind it is answered", answered);
    }
    const body = createBody("last:1", room, 100);
    const last = new Map([[room, body.id]]);
    ledger.sent(body.id);
    await push.publish(body);
    ledger.told(body.id, "taken");
    await until("all members have the last publication", () => members.every((each) => each.hasAll(last)));
    const counts = ledger.counts;
    const connections = members.reduce((all, member) => all + member.connections, 0);
    const early = backend.events().filter(({ hook }) => hook === "disconnect");
    await Promise.all(members.map((member) => member.leave()));
    await until("each Connect has its Disconnect", () => backendProblems(backend.events()).length === 0);
    const problems = [
      ...ledger.problems(last),
      ...early.map(({ name, code }) => `the session of ${name} was ended with ${code}`),
      ...(refused === 0 && awayMs >= 1000 ? ["nothing was refused while the backend was away"] : []),
    ];
    return { counts, sentMeanwhile, connections, members: members.length, problems };
  } finally {
    push.close();
    await gateway.stop();
    await backend.kill();
    rmSync(folder, { recursive: true });
  }
}

function sum({ taken, refused, unknown }: LedgerCounts): number {
  return taken + refused + unknown;
}
