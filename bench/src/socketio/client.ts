import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { openConnection } from "../connection.ts";
import { readFanoutMessage } from "../fanout-message.ts";
import { encodePong, encodeText } from "../fanout-wires.ts";
import { FrameReader } from "../frame-reader.ts";
import { encodeFrame } from "../frame.ts";

/** A question to the server and the answer to it, message by message. */
interface Exchange {
  readonly request: Buffer;
  readonly reply: readonly Buffer[];
}

const text = "Some say so, and some say otherwise. ".repeat(3).slice(0, 100);
const bytes = randomBytes(100);
const placeholder = '{"_placeholder":true,"num":0}';

/** Engine.IO 4 and Socket.IO 5: `4` is a message; in it `2` an event, `3` its answer, `51-` and `61-` the same with bytes. */
const exchanges = {
  echo: {
    request: encodeText(`427${JSON.stringify(["echo", text])}`),
    reply: [Buffer.from(`437${JSON.stringify([text])}`)],
  },
  bin: {
    request: Buffer.concat([
      encodeText(`451-7["bin",${placeholder}]`),
      encodeFrame(bytes, { mask: randomBytes(4) }),
    ]),
    reply: [Buffer.from(`461-7[${placeholder}]`), bytes],
  },
} as const satisfies Record<string, Exchange>;

/** What a client asks the server for. */
export type ExchangeName = keyof typeof exchanges;

/** Who is told of what comes. */
export interface ClientListener {
  /** The answer to what was asked has come. */
  answered(client: SocketIoClient): void;
  /** An event to everybody has come. */
  told(): void;
}

/** A client on a bare socket, as little of one as a load needs. All that comes has to be what is expected, to the byte. */
export class SocketIoClient {
  readonly #listener: ClientListener;
  #socket: Socket | undefined;
  #expected: readonly Buffer[] = [];
  /** How much of that has come. */
  #received = 0;
  #last: number | undefined;
  #welcome: () => void = () => {};

  private constructor(listener: ClientListener) {
    this.#listener = listener;
  }

  /** Connects by WebSocket only, to the main namespace. */
  static async connect(port: number, listener: ClientListener): Promise<SocketIoClient> {
    const client = new SocketIoClient(listener);
    const welcomed = new Promise<void>((resolve) => (client.#welcome = resolve));
    const reader = new FrameReader((opcode, payload) => client.#receive(opcode, payload));
    client.#socket = await openConnection({
      port,
      upgrade: true,
      target: "/socket.io/?EIO=4&transport=websocket",
      onBytes: (read) => reader.push(read),
      onError: (error) => {
        throw error;
      },
    });
    client.#socket.write(encodeText("40"));
    await welcomed;
    return client;
  }

  /** Asks for something; once the answer to what was asked before has come. */
  ask(name: ExchangeName): void {
    const { request, reply } = exchanges[name];
    this.#expected = reply;
    this.#received = 0;
    this.#socket?.write(request);
  }

  #receive(opcode: number, payload: Buffer): void {
    if (opcode === 9) this.#socket?.write(encodePong(payload));
    else if (opcode === 8) throw new Error(`the server closes: ${payload.toString("utf8", 2)}`);
    else if (opcode === 2 || payload[1] === 0x33 || payload[1] === 0x36) this.#takeReply(payload);
    else this.#takeText(payload.toString("latin1", 0, 2), payload);
  }

  #takeReply(payload: Buffer): void {
    if (this.#expected[this.#received]?.equals(payload) !== true)
      throw new Error(`another answer came than was expected: ${payload.toString()}`);
    if (++this.#received === this.#expected.length) this.#listener.answered(this);
  }

  #takeText(start: string, payload: Buffer): void {
    if (start === "42") this.#takeEvent(payload);
    else if (start === "40") this.#welcome();
    else if (start === "2") this.#socket?.write(encodeText("3"));
    else if (!start.startsWith("0"))
      throw new Error(`a packet came that nobody expected: ${payload.toString()}`);
  }

  #takeEvent(payload: Buffer): void {
    const sequence = readFanoutMessage(payload)?.sequence ?? Number.NaN;
    if (this.#last !== undefined && sequence !== this.#last + 1)
      throw new Error(`event ${sequence} came after ${this.#last}`);
    this.#last = sequence;
    this.#listener.told();
  }
}
