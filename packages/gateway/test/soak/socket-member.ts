import { WebSocket } from "ws";
import { Member } from "./member.ts";

/** A member on a WebSocket; what it speaks is up to the kind of member. */
export abstract class SocketMember extends Member {
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

  protected override finish(): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.close(1000);
    else if (this.#socket?.readyState === WebSocket.CONNECTING) this.#socket.terminate();
  }

  /** Opens its WebSocket, with a query and a subprotocol. */
  protected connect(query: string, protocols: string[] = []): void {
    const socket = new WebSocket(`ws://127.0.0.1:${this.port}/ws?${query}`, protocols);
    this.#socket = socket;
    this.#awayMs = undefined;
    socket.on("open", () => this.connected());
    socket.on("message", (data: Buffer) => this.told(data.toString()));
    socket.on("error", () => undefined);
    socket.on("close", (code: number) => {
      this.disconnected(code);
      this.closed(this.#awayMs);
    });
  }

  protected write(text: string): void {
    this.#socket?.send(text);
  }

  /** Its WebSocket is open. */
  protected abstract connected(): void;
  /** The server said something. */
  protected abstract told(text: string): void;
  /** Its WebSocket has ended. */
  protected abstract disconnected(code: number): void;
}
