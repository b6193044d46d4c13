import { WebSocket } from "ws";
import { Member, type Body } from "./member.ts";

/** The server has not what was missed; see the table of close codes. */
const gone = 4410;

/** A member with raw messages, in one room, into which the backend puts it. */
export class RawMember extends Member {
  #socket: WebSocket | undefined;
  #awayMs: number | undefined;

  override drop(awayMs: number): void {
    this.#awayMs = awayMs;
    this.#socket?.terminate();
  }

  override pause(): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.pause();
  }

  override resume(): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.resume();
  }

  protected override open(): void {
    const [room = ""] = this.rooms;
    // A session without a delivery may be another one next time; nothing says so.
    if (this.received === 0) this.begin(room);
    const query = `name=${this.name}&room=${room}&resume=${this.key}&received=${this.received}`;
    const socket = new WebSocket(`ws://127.0.0.1:${this.port}/ws?${query}`);
    this.#socket = socket;
    this.#awayMs = undefined;
    socket.on("open", () => this.entered());
    socket.on("message", (data: Buffer) => {
      this.received++;
      const text = data.toString();
      // Which of its messages was refused is not said.
      if (!text.startsWith('{"error":')) this.take(text);
    });
    socket.on("error", () => undefined);
    socket.on("close", (code: number) => {
      if (code === gone) this.received = 0;
      this.closed(this.#awayMs);
    });
  }

  protected override finish(): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.close(1000);
    else if (this.#socket?.readyState === WebSocket.CONNECTING) this.#socket.terminate();
  }

  protected override send(body: Body): void {
    this.#socket?.send(JSON.stringify(body));
  }
}
