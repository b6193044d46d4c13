import type { Closed, WebSocketConnection, WebSocketHandlers } from "../../src/index.ts";

/** Handlers that write down what they are told, and let a test wait for it. */
export class Journal implements WebSocketHandlers {
  /** What happened, in order: `text hello`, `binary 00ff`, `ping x`, `pong x`, `drain`, `close 1000 reason`. */
  readonly entries: string[] = [];
  closed: Closed | undefined;
  readonly #waiting = new Set<() => void>();

  message(_connection: WebSocketConnection, data: Buffer, isBinary: boolean): void {
    this.add(isBinary ? `binary ${data.toString("hex")}` : `text ${data.toString()}`);
  }

  ping(_connection: WebSocketConnection, payload: Buffer): void {
    this.add(`ping ${payload.toString()}`);
  }

  pong(_connection: WebSocketConnection, payload: Buffer): void {
    this.add(`pong ${payload.toString()}`);
  }

  drain(): void {
    this.add("drain");
  }

  close(_connection: WebSocketConnection, closed: Closed): void {
    this.closed = closed;
    this.add(`close ${closed.code} ${closed.reason}`.trim());
  }

  /** Waits until there are so many entries. */
  async count(count: number): Promise<string[]> {
    while (this.entries.length < count) {
      await new Promise<void>((resolve) => {
        this.#waiting.add(resolve);
      });
    }
    return this.entries;
  }

  /** Waits until the connection has ended. */
  async end(): Promise<Closed> {
    while (this.closed === undefined) await this.count(this.entries.length + 1);
    return this.closed;
  }

  /** Writes something down. */
  add(entry: string): void {
    this.entries.push(entry);
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}

/** Handlers that send every message back as it came, a text as text. */
export const echo: WebSocketHandlers = {
  message(connection, data, isBinary) {
    if (isBinary) connection.send(data);
    else connection.sendText(data);
  },
};
