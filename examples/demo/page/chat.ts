import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import type { Connection } from "@sluice/client";
import type { MultiplexTransport } from "@sluice/client/connect";
import {
  Chat as ChatService,
  ChatMessage_Kind,
  type ChatMessage,
  type ChatRequestSchema,
} from "./generated/demo_pb.js";
import { Outgoing } from "./outgoing.ts";

/** Milliseconds before the room is entered again, where the gateway is there and the room is not. */
const pauseMs = 1_000;

/** What a page hears of its place in a room. */
export interface ChatListener {
  message(message: ChatMessage): void;
  /** What was said here and has not come back from the room yet. */
  pending(texts: readonly string[]): void;
  /** The room is lost because of `reason`, and is entered again as soon as that goes. */
  interrupted(reason: string): void;
}

/**
 * One person in one room: a bidirectional call, made again when it is lost. What is said in the meantime is said when the
 * room is back.
 */
export class Chat {
  readonly #transport: MultiplexTransport;
  readonly #me: { readonly room: string; readonly name: string };
  readonly #listener: ChatListener;
  #outgoing = new Outgoing<MessageInitShape<typeof ChatRequestSchema>>();
  #pending: readonly string[] = [];
  #isInside = false;
  readonly #leaving = new AbortController();

  constructor(transport: MultiplexTransport, room: string, name: string, listener: ChatListener) {
    this.#transport = transport;
    this.#me = { room, name };
    this.#listener = listener;
  }

  /** Stays in the room until `leave`. Rejects with a ConnectError where the room lets nobody in. */
  async stay(): Promise<void> {
    const client = createClient(ChatService, this.#transport);
    const { signal } = this.#leaving;
    let hasLeft = false;
    while (!hasLeft && !signal.aborted) {
      this.#outgoing = new Outgoing();
      this.#outgoing.send(this.#me);
      for (const text of this.#pending) this.#outgoing.send({ text });
      try {
        for await (const message of client.join(this.#outgoing, { signal })) this.#hear(message);
        hasLeft = true;
      } catch (error) {
        const { code, rawMessage } = ConnectError.from(error);
        if (signal.aborted) return;
        if (code !== Code.Unavailable) throw error;
        if (this.#isInside) this.#listener.interrupted(rawMessage);
        this.#isInside = false;
        await pause(signal);
        await opened(this.#transport.connection, signal);
      }
    }
  }

  say(text: string): void {
    this.#setPending([...this.#pending, text]);
    this.#outgoing.send({ text });
  }

  /** Says goodbye, with a half-close, upon which the room ends the call; does not wait for a room that is not there. */
  leave(): void {
    if (this.#isInside) this.#outgoing.end();
    else this.#leaving.abort();
  }

  #hear(message: ChatMessage): void {
    this.#isInside = true;
    const isOwn = message.kind === ChatMessage_Kind.SAID && message.name === this.#me.name;
    if (isOwn && message.text === this.#pending[0]) this.#setPending(this.#pending.slice(1));
    this.#listener.message(message);
  }

  #setPending(texts: readonly string[]): void {
    this.#pending = texts;
    this.#listener.pending(texts);
  }
}

/** Waits a while, or until `signal` is aborted. */
function pause(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, pauseMs);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Waits for the connection, or until `signal` is aborted. */
function opened(connection: Connection, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const check = (): void => {
      if (connection.state.kind !== "open" && !signal.aborted) return;
      stop();
      resolve();
    };
    const stop = connection.subscribe(check);
    signal.addEventListener("abort", check);
    check();
  });
}
