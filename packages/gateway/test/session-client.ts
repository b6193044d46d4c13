import { once } from "node:events";
import { WebSocket } from "ws";

/** A client of a WebSocket face that keeps what it is told until it is asked for. */
export class SessionClient {
  readonly socket: WebSocket;
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  readonly #messages: string[] = [];

  /** Connects; `headers` are those of the request. */
  constructor(url: string, protocols: readonly string[] = [], headers: Record<string, string> = {}) {
    this.socket = new WebSocket(url, [...protocols], { headers });
    this.socket.on("message", (data: Buffer, isBinary: boolean) =>
      this.#messages.push(data.toString(isBinary ? "hex" : "utf8")),
    );
    this.closed = once(this.socket, "close").then(([code, reason]) => ({
      code: code as number,
      reason: String(reason),
    }));
  }

  /** Resolves when the handshake is done. */
  async opened(): Promise<this> {
    if (this.socket.readyState === WebSocket.CONNECTING) await once(this.socket, "open");
    return this;
  }

  /** The next message that was not asked for yet; bytes in hexadecimal. Rejects where the connection ends before it. */
  async next(): Promise<string> {
    while (this.#messages.length === 0) {
      const ended = this.closed.then(({ code, reason }) => {
        throw new Error(`closed with ${code} ${reason}`);
      });
      await Promise.race([once(this.socket, "message"), ended]);
    }
    return this.#messages.shift() ?? "";
  }

  /** The next message, as JSON. */
  async nextJson(): Promise<unknown> {
    return JSON.parse(await this.next());
  }

  /** Says something: objects as JSON. */
  say(what: string | object): void {
    this.socket.send(typeof what === "string" || Buffer.isBuffer(what) ? what : JSON.stringify(what));
  }

  /** Ends the connection, and resolves when it has ended. */
  async close(): Promise<void> {
    this.socket.close(1000);
    await this.closed;
  }
}

/** The events of a stream of Server-Sent Events, one after the other. */
export class EventClient {
  readonly response: Promise<Response>;
  readonly #controller = new AbortController();
  #text = "";
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;

  constructor(url: string, headers: Record<string, string> = {}) {
    this.response = fetch(url, {
      headers: { accept: "text/event-stream", ...headers },
      signal: this.#controller.signal,
    });
  }

  /** The data of the next event that has some; of each one its lines. */
  async next(): Promise<string> {
    this.#reader ??= (await this.response).body?.getReader();
    for (;;) {
      const end = this.#text.indexOf("\n\n");
      if (end < 0) {
        const { done, value } = (await this.#reader?.read()) ?? { done: true, value: undefined };
        if (done) throw new Error("the stream has ended");
        this.#text += Buffer.from(value ?? []).toString();
        continue;
      }
      const event = this.#text.slice(0, end);
      this.#text = this.#text.slice(end + 2);
      const data = event
        .split("\n")
        .filter((line) => line.startsWith("data:") && !event.includes("event: sluice."));
      if (data.length > 0) return data.map((line) => line.slice(5).trimStart()).join("\n");
    }
  }

  close(): void {
    this.#controller.abort();
  }
}
