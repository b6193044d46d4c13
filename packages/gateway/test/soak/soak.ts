import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { Backend, backendProblems, openSessions } from "./backend.ts";
import { GatewayProcess } from "./gateway.ts";
import { Ledger, type LedgerCounts } from "./ledger.ts";
import { createBody, type Member, type MemberOptions } from "./member.ts";
import { Push } from "./push.ts";
import { Random } from "./random.ts";
import { RawMember } from "./raw-member.ts";
import { SessionMember } from "./session-member.ts";
import { SseMember } from "./sse-member.ts";
import { until } from "./until.ts";

/** How much is done, and for how long. */
export interface SoakOptions {
  /** The same seed chooses the same things to happen; when they happen depends on the machine. */
  readonly seed: number;
  readonly members: number;
  readonly rooms: number;
  /** Times that all members come, live, and go. */
  readonly cycles: number;
  /** Of life, in each cycle. */
  readonly seconds: number;
  /** What happens in a second: half of it is said, a quarter is lost connections. */
  readonly events: number;
  /** Gets a line of what goes on. */
  readonly log: (line: string) => void;
}

/** What came of it. */
export interface SoakReport {
  readonly counts: LedgerCounts & {
    /** Connections that were lost on purpose. */
    readonly drops: number;
    /** Readers that were slow for a while. */
    readonly slow: number;
    /** Lives of the backend that ended with SIGKILL. */
    readonly kills: number;
    readonly connects: number;
    readonly resumes: number;
    readonly disconnects: number;
  };
  /** Bytes of the gateway's heap behind each cycle, after a collection. */
  readonly heapBytes: readonly number[];
  /** Everything that is wrong. */
  readonly problems: readonly string[];
}

/** For how long a session of the soak survives its connection. */
const graceMs = 3_000;

/** Rooms in which some read slowly, and what becomes of them. */
const slowRooms = { "slow-close": "close", "slow-drop": "drop_oldest", "slow-latest": "latest" } as const;

const config = (backendPort: number): string => `
listen: 127.0.0.1:0
log: { level: error }
backends:
  soak: { target: "127.0.0.1:${backendPort}", backoff: { initial: 50ms, max: 200ms } }
faces:
  websocket: { path: /ws }
  sse: { path: /events }
sessions: { grace: ${graceMs}ms }
callbacks: { backend: soak, hooks: [connect, message, disconnect, resume], timeout: 2s }
rooms:
  "room-*": { history: { size: 300, ttl: 20s }, join: anyone }
${Object.entries(slowRooms)
  .map(([room, slow]) => `  ${room}: { history: { size: 20, ttl: 20s }, slow: ${slow}, join: anyone }`)
  .join("\n")}
push: { listen: 127.0.0.1:0 }
`;

/** Runs it. Rejects only when something hangs or cannot start. */
export async function soak(options: SoakOptions): Promise<SoakReport> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-soak-"));
  const backend = new Backend(join(folder, "events"));
  await backend.start();
  const file = join(folder, "sluice.yaml");
  writeFileSync(file, config(backend.port));
  const gateway = await GatewayProcess.start(file);
  try {
    return await new Soak(options, backend, gateway).run();
  } finally {
    await gateway.stop();
    await backend.kill();
    rmSync(folder, { recursive: true });
  }
}

class Soak {
  readonly #options: SoakOptions;
  readonly #backend: Backend;
  readonly #gateway: GatewayProcess;
  readonly #ledger = new Ledger();
  readonly #random: Random;
  readonly #push: Push;
  readonly #members: readonly Member[];
  readonly #slow: readonly Member[];
  readonly #rooms: readonly string[];
  /** Publications of the push API, by room. */
  readonly #pushed = new Map<string, number>();
  readonly #problems: string[] = [];
  #drops = 0;
  #slowed = 0;
  #kills = 0;

  constructor(options: SoakOptions, backend: Backend, gateway: GatewayProcess) {
    this.#options = options;
    this.#backend = backend;
    this.#gateway = gateway;
    this.#random = new Random(options.seed);
    this.#push = new Push(gateway.ports.pushPort);
    this.#rooms = Array.from({ length: options.rooms }, (_, nth) => `room-${nth}`);
    this.#members = Array.from({ length: options.members }, (_, nth) => this.#createMember(nth));
    this.#slow = Object.keys(slowRooms).flatMap((room) =>
      Array.from({ length: 5 }, (_, nth) => new SessionMember(this.#membership(`${room}-${nth}`, [room]))),
    );
  }

  async run(): Promise<SoakReport> {
    const heapBytes: number[] = [];
    for (let cycle = 1; cycle <= this.#options.cycles; cycle++) {
      const everyone = [...this.#members, ...this.#slow];
      for (const member of everyone) member.start();
      await this.#until("all members are in", () => everyone.every(({ isIn }) => isIn));
      await Promise.all([this.#live(), this.#flood(), this.#killBackend()]);
      const last = await this.#end(cycle, everyone);
      this.#problems.push(...this.#ledger.problems(last));
      await Promise.all(everyone.map((member) => member.leave()));
      const held = await this.#emptied();
      heapBytes.push(held);
      this.#options.log(
        `cycle ${cycle}: ${JSON.stringify(this.#ledger.counts)}, heap ${Math.round(held / 1024)} KiB`,
      );
    }
    this.#push.close();
    const events = this.#backend.events();
    this.#problems.push(...backendProblems(events));
    this.#checkHeap(heapBytes);
    const count = (hook: string): number => events.filter((event) => event.hook === hook).length;
    return {
      counts: {
        ...this.#ledger.counts,
        drops: this.#drops,
        slow: this.#slowed,
        kills: this.#kills,
        connects: count("connect"),
        resumes: count("resume"),
        disconnects: count("disconnect"),
      },
      heapBytes,
      problems: this.#problems,
    };
  }

  /** The first of each room is on the session wire, so that the place of each publication is known. */
  #createMember(nth: number): Member {
    const room = this.#rooms[nth % this.#rooms.length] ?? "";
    if (nth < this.#rooms.length) return new SessionMember(this.#membership(`keeper-${nth}`, [room]));
    const other = this.#random.pick(this.#rooms);
    const rooms = other === room ? [room] : [room, other];
    switch (this.#random.between(1, 4)) {
      case 1:
        return new RawMember(this.#membership(`raw-${nth}`, [room]));
      case 2:
        return new SseMember(this.#membership(`sse-${nth}`, rooms));
      default:
        return new SessionMember(this.#membership(`session-${nth}`, rooms));
    }
  }

  #membership(name: string, rooms: readonly string[]): MemberOptions {
    return { name, rooms, port: this.#gateway.ports.port, ledger: this.#ledger };
  }

  /** Members speak, lose their connections and read slowly; the push API publishes. */
  async #live(): Promise<void> {
    const { seconds, events } = this.#options;
    const end = performance.now() + seconds * 1000;
    const pushes: Promise<void>[] = [];
    const pause = 1000 / events;
    let due = performance.now();
    while (performance.now() < end) {
      while (due < performance.now()) {
        due += pause;
        this.#happen(pushes);
      }
      await wait(5);
    }
    await Promise.all(pushes);
  }

  #happen(pushes: Promise<void>[]): void {
    const random = this.#random;
    // Those whose connection is never lost know all.
    const member = random.pick(this.#members.slice(this.#rooms.length));
    const what = random.next();
    if (what < 0.5) member.say(random.pick(member.rooms), random.between(50, 400));
    else if (what < 0.7) pushes.push(this.#publish(random.pick(this.#rooms), 200, random.chance(0.2)));
    else if (what < 0.95) {
      this.#drops++;
      // Some return too late for their session.
      member.drop(random.chance(0.05) ? graceMs + 200 : random.between(0, 1500));
    } else {
      this.#slowed++;
      member.pause();
      setTimeout(() => member.resume(), random.between(200, 2000));
    }
  }

  /** Publishes by the push API; `twice` with the same key. What is published to one room goes one behind the other. */
  async #publish(room: string, bytes: number, twice: boolean): Promise<void> {
    const nth = (this.#pushed.get(room) ?? 0) + 1;
    this.#pushed.set(room, nth);
    const body = createBody(`push-${nth}-${room}:1`, room, bytes);
    this.#ledger.sent(body.id);
    const duplicates = await Promise.all([
      this.#push.publish(body),
      ...(twice ? [this.#push.publish(body)] : []),
    ]);
    this.#ledger.told(body.id, "taken");
    if (duplicates.filter((isDuplicate) => !isDuplicate).length !== 1)
      this.#problems.push(
        `${body.id} was published ${duplicates.length} times: duplicate ${duplicates.join(", ")}`,
      );
  }

  /** More than sockets hold is published to rooms in which some do not read. */
  async #flood(): Promise<void> {
    const paused = this.#slow.filter((_, nth) => nth % 4 === 0);
    for (const member of paused) member.pause();
    this.#slowed += paused.length;
    for (let nth = 0; nth < 160; nth++)
      await Promise.all(Object.keys(slowRooms).map((room) => this.#publish(room, 50_000, false)));
    for (const member of paused) member.resume();
  }

  /** Kills the backend again and again. In the end, it is there. */
  async #killBackend(): Promise<void> {
    const end = performance.now() + this.#options.seconds * 1000;
    for (;;) {
      const awayMs = this.#random.between(200, 1000);
      const upMs = this.#random.between(500, 1500);
      if (performance.now() + upMs + awayMs > end) break;
      await wait(upMs);
      await this.#backend.kill();
      this.#kills++;
      await wait(awayMs);
      await this.#backend.start();
    }
  }

  /**
   * Publishes something to each room and waits until all its members have it; once more, where some were just away and came
   * back behind it. Answers the ids by room.
   */
  async #end(cycle: number, everyone: readonly Member[]): Promise<ReadonlyMap<string, string>> {
    let last: ReadonlyMap<string, string> = new Map();
    const missing = (): Member[] => everyone.filter((member) => !member.hasAll(last));
    for (let attempt = 1; attempt <= 10 && missing().length > 0; attempt++) {
      await this.#until("all members are in", () => everyone.every(({ isIn }) => isIn));
      last = await this.#publishLast(`${cycle}-${attempt}`);
      const end = performance.now() + 5_000;
      while (missing().length > 0 && performance.now() < end) await wait(20);
    }
    return last;
  }

  async #publishLast(name: string): Promise<ReadonlyMap<string, string>> {
    const last = new Map<string, string>();
    for (const room of [...this.#rooms, ...Object.keys(slowRooms)]) {
      const body = createBody(`last-${name}-${room}:1`, room, 100);
      last.set(room, body.id);
      this.#ledger.sent(body.id);
      await this.#push.publish(body);
      this.#ledger.told(body.id, "taken");
    }
    return last;
  }

  /** Waits until nothing is left of anybody; answers the bytes of the heap. */
  async #emptied(): Promise<number> {
    await this.#until(
      "the backend has a Disconnect for each Connect",
      () => openSessions(this.#backend.events()) === 0,
    );
    let held = await this.#gateway.holdings();
    await this.#until("the gateway holds no session and no connection", async () => {
      held = await this.#gateway.holdings();
      return held.sessions + held.connections === 0;
    });
    return held.heapBytes;
  }

  /** What is kept for sessions that are over shows from one cycle to the next. */
  #checkHeap(heapBytes: readonly number[]): void {
    const [first = 0] = heapBytes;
    const last = heapBytes.at(-1) ?? 0;
    if (last > first * 1.25)
      this.#problems.push(`the heap has grown from ${first} to ${last} bytes, with nobody there`);
  }

  async #until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
    await until(`${what} (seed ${this.#options.seed})`, isSo, () =>
      [...this.#problems, ...this.#ledger.problems(new Map())].join("\n"),
    );
  }
}
