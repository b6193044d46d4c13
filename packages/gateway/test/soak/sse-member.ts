import { request, type ClientRequest, type IncomingMessage } from "node:http";
import { Member, type Body } from "./member.ts";

/** The first event of a stream, as far as a member minds. */
interface Greeting {
  readonly resumed: boolean;
  readonly rooms: readonly {
    readonly room: string;
    readonly recovered?: boolean;
    readonly error?: { readonly message: string };
  }[];
}

/** What a member is told that it misses. */
interface Gap {
  readonly room?: string;
  readonly count?: number;
}

/** A member on Server-Sent Events, which speaks by POST. */
export class SseMember extends Member {
  #request: ClientRequest | undefined;
  #response: IncomingMessage | undefined;
  #awayMs: number | undefined;
  #lastId = "";
  /** Rooms in which what it had before may have no continuation. */
  #begins = new Set<string>();
  /** Says one thing after the other: requests on several connections may arrive in any order. */
  #posting: Promise<void> = Promise.resolve();

  override drop(awayMs: number): void {
    this.#awayMs = awayMs;
    this.#request?.destroy();
  }

  override pause(): void {
    this.#response?.pause();
  }

  override resume(): void {
    this.#response?.resume();
  }

  protected override open(): void {
    this.#awayMs = undefined;
    const headers = {
      accept: "text/event-stream",
      ...(this.#lastId !== "" && { "last-event-id": this.#lastId }),
    };
    const opened = request({
      port: this.port,
      path: `/events?${this.#query()}`,
      headers,
      agent: false,
    });
    this.#request = opened;
    opened.on("response", (response) => {
      this.#response = response;
      if (response.statusCode !== 200) {
        response.resume();
        return;
      }
      this.entered();
      let begun = "";
      response.setEncoding("utf8").on("data", (text: string) => {
        const events = (begun + text).split("\n\n");
        begun = events.pop() ?? "";
        for (const event of events) this.#take(event);
      });
      response.on("error", () => undefined);
    });
    opened.on("error", () => undefined);
    opened.on("close", () => this.closed(this.#awayMs));
    opened.end();
  }

  protected override finish(): void {
    this.#lastId = "";
    if (this.#request?.destroyed === false) this.#request.destroy();
  }

  protected override send(body: Body): void {
    this.#posting = this.#posting.then(() => this.#post(body));
  }

  #post(body: Body): Promise<void> {
    return new Promise((resolve) => {
      const post = request({
        port: this.port,
        path: `/events?${this.#query()}`,
        method: "POST",
        headers: { "content-type": "text/plain" },
        agent: false,
      });
      post.on("response", (response) => {
        response.resume();
        const { statusCode = 0 } = response;
        if (statusCode < 300) this.ledger.told(body.id, "taken");
        else if (statusCode !== 404) this.ledger.told(body.id, "refused");
      });
      post.on("error", () => undefined);
      post.on("close", () => resolve());
      post.end(JSON.stringify(body));
    });
  }

  #query(): string {
    const rooms = this.rooms.map((room) => `&room=${room}`).join("");
    return `name=${this.name}&resume=${this.key}${rooms}`;
  }

  #take(event: string): void {
    const fields = new Map<string, string>();
    for (const line of event.split("\n")) {
      const colon = line.indexOf(": ");
      if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 2));
    }
    const id = fields.get("id");
    if (id !== undefined) this.#lastId = id;
    const data = fields.get("data");
    if (data === undefined) return;
    switch (fields.get("event")) {
      case undefined:
        this.take(data);
        break;
      case "sluice.session":
        this.#enter(JSON.parse(data) as Greeting);
        break;
      case "sluice.dropped":
        this.#miss(JSON.parse(data) as Gap);
        break;
      case "sluice.lost":
        this.#lose((JSON.parse(data) as Gap).room);
    }
  }

  /** A room of which it was not told that it goes on may be one that begins; then it is told that it lost something. */
  #enter({ resumed, rooms }: Greeting): void {
    this.#begins = new Set<string>();
    for (const { room, recovered, error } of rooms) {
      if (error !== undefined) this.ledger.problem(`${this.name} may not join ${room}: ${error.message}`);
      if (!this.places.has(room)) this.begin(room);
      else if (!resumed && recovered !== true) this.#begins.add(room);
    }
  }

  #lose(room: string | undefined): void {
    for (const begins of room === undefined ? this.#begins : [room]) this.begin(begins);
  }

  #miss({ room, count }: Gap): void {
    for (const each of room === undefined ? this.rooms : [room]) this.places.get(each)?.stint.gap(count);
  }
}
