import { once } from "node:events";
import { type IncomingMessage, request, type RequestOptions } from "node:http";
import type { TestContext } from "node:test";
import { Queue } from "./queue.ts";

/** One event as the HTML standard dispatches it. */
export interface SseEvent {
  readonly type: string;
  readonly data: string;
  /** The last id at that moment. */
  readonly id: string;
}

/** A client of event streams that keeps to section 9.2 of the HTML standard. */
export class SseClient {
  readonly response: IncomingMessage;
  readonly events = new Queue<SseEvent>();
  readonly comments = new Queue<string>();
  readonly retries = new Queue<string>();
  readonly ended: Promise<void>;
  lastId = "";
  #text = "";

  private constructor(response: IncomingMessage) {
    this.response = response;
    response.setEncoding("utf8");
    response.on("data", (chunk: string) => this.#read(chunk));
    this.ended = new Promise((resolve) => {
      response.on("close", resolve);
    });
    response.on("error", () => {});
  }

  /** Asks for a stream; rejects where the answer is none. */
  static async connect(
    context: TestContext,
    port: number,
    path: string,
    headers: Record<string, string> = {},
  ): Promise<SseClient> {
    const response = await ask(port, { path, headers: { accept: "text/event-stream", ...headers } });
    context.after(() => response.destroy());
    if (response.statusCode !== 200) throw new Error(`the answer was ${response.statusCode}`);
    return new SseClient(response);
  }

  next(): Promise<SseEvent> {
    return this.events.next();
  }

  /** The next event, which has to be of a type; its data as JSON. */
  async json(type: string): Promise<Record<string, unknown>> {
    const event = await this.next();
    if (event.type !== type)
      throw new Error(`an event ${event.type} came where ${type} was due: ${event.data}`);
    return JSON.parse(event.data) as Record<string, unknown>;
  }

  /** Goes away without a word. */
  async cut(): Promise<void> {
    this.response.destroy();
    await this.ended;
  }

  #read(chunk: string): void {
    this.#text += chunk;
    for (let end = this.#text.indexOf("\n\n"); end >= 0; end = this.#text.indexOf("\n\n")) {
      this.#block(this.#text.slice(0, end));
      this.#text = this.#text.slice(end + 2);
    }
  }

  #block(block: string): void {
    let type = "message";
    const data: string[] = [];
    for (const line of block.split(/\r\n|\r|\n/)) {
      const [, field = "", value = ""] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
      if (line.startsWith(":")) this.comments.push(line.slice(1));
      else if (field === "event") type = value;
      else if (field === "data") data.push(value);
      else if (field === "id") this.lastId = value;
      else if (field === "retry") this.retries.push(value);
      else throw new Error(`an unknown field: ${line}`);
    }
    if (data.length > 0) this.events.push({ type, data: data.join("\n"), id: this.lastId });
  }
}

/** What was answered, with its body. */
export interface Answered {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** Sends a request, and reads all of its answer. */
export async function exchange(
  port: number,
  options: RequestOptions,
  body?: string | Uint8Array,
): Promise<Answered> {
  const response = await ask(port, options, body);
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) text += String(chunk);
  return { status: response.statusCode ?? 0, headers: response.headers, body: text };
}

/** Sends a message as a page would. */
export function post(
  port: number,
  path: string,
  body: string | Uint8Array,
  type = "text/plain",
  headers: Record<string, string> = {},
): Promise<Answered> {
  return exchange(port, { method: "POST", path, headers: { "content-type": type, ...headers } }, body);
}

async function ask(
  port: number,
  options: RequestOptions,
  body?: string | Uint8Array,
): Promise<IncomingMessage> {
  const asked = request({ host: "127.0.0.1", port, agent: false, ...options });
  asked.end(body);
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  // A server may answer before it has read everything.
  asked.on("error", () => {});
  return response;
}
