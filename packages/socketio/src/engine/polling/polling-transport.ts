import type { ServerResponse } from "node:http";
import { SocketIoError } from "../../error.ts";
import { decodeJsonp } from "../codec/jsonp.ts";
import { type Packet, PacketType, type ReceivedPacket, type Revision } from "../codec/packet.ts";
import type { PayloadReader } from "../codec/payload.ts";
import { BinaryPayloadReaderV3, encodePayloadV3, TextPayloadReaderV3 } from "../codec/payload-v3.ts";
import { encodePayloadV4, PayloadReaderV4 } from "../codec/payload-v4.ts";
import { ErrorCode, refuse } from "../http/refusal.ts";
import { type AnswerOptions, answerPoll, answerPost } from "./answer-poll.ts";
import type { PollingExchange } from "./poll.ts";
import { type BodyFailure, readBody } from "./read-body.ts";

/** What a session hears of its polling. */
export interface PollingOwner {
  /** A packet came. Answers whether to go on with those behind it. */
  received(packet: ReceivedPacket): boolean;
  /** The session is to end: a rule was broken, or a request was lost. */
  failed(error: SocketIoError): void;
  /** Everything that waited has left. */
  drained(): void;
}

/** How a session polls. */
export interface PollingOptions extends AnswerOptions {
  readonly revision: Revision;
  /** Whether the client reads text only (`b64` in the query of its handshake). */
  readonly base64: boolean;
  /** Bytes of a POST. */
  readonly maxBytes: number;
}

/** The packets that the next poll is answered with. */
interface Waiting {
  readonly packets: Packet[];
  bytes: number;
  /** Whether one of them may be compressed. */
  compress: boolean;
}

/** What a packet that waits costs beside its data, so that many empty ones are not for nothing. */
export const PACKET_BYTES = 64;

const NOOP: Packet = { type: PacketType.NOOP, data: "" };

/** A session by HTTP long-polling: at most one GET waits for packets, while at most one POST brings some. */
export class PollingTransport {
  readonly #owner: PollingOwner;
  readonly #options: PollingOptions;
  #poll: PollingExchange | undefined;
  /** The answer of the POST whose body is under way. */
  #post: ServerResponse | undefined;
  #waiting: Waiting = { packets: [], bytes: 0, compress: false };
  /** The POST that is answered when reading goes on; until then the client sends no other. */
  #held: PollingExchange | undefined;
  #isPaused = false;
  #due = false;
  #hurried = false;

  constructor(owner: PollingOwner, options: PollingOptions) {
    this.#owner = owner;
    this.#options = options;
  }

  /** Bytes that wait for a poll, with those that each packet costs. */
  get bufferedBytes(): number {
    return this.#waiting.bytes;
  }

  /** Whether a poll waits, with nothing to be answered yet. */
  get writable(): boolean {
    return this.#poll !== undefined && this.#waiting.packets.length === 0;
  }

  /** Adds a packet, which leaves at the end of this tick or with the next poll. */
  send(packet: Packet, compress: boolean): void {
    this.#waiting.packets.push(packet);
    this.#waiting.bytes += PACKET_BYTES + Buffer.byteLength(packet.data);
    this.#waiting.compress ||= compress;
    if (this.#poll === undefined || this.#due) return;
    this.#due = true;
    process.nextTick(() => {
      this.#due = false;
      this.#flush();
    });
  }

  /** From now on a POST is answered only when reading goes on. */
  pause(): void {
    this.#isPaused = true;
  }

  /** POSTs are answered again. */
  resume(): void {
    this.#isPaused = false;
    const held = this.#held;
    if (held === undefined) return;
    this.#held = undefined;
    this.#post = undefined;
    answerPost(held, this.#options.addHeaders);
  }

  /** From now on a poll is answered at once, if need be with nothing: the client moves to another transport. */
  hurry(): void {
    this.#hurried = true;
    this.#flush();
  }

  /** Polls wait for packets again. */
  relax(): void {
    this.#hurried = false;
  }

  /** Hands out what waits, for another transport. */
  takePackets(): readonly Packet[] {
    const { packets } = this.#waiting;
    this.#waiting = { packets: [], bytes: 0, compress: false };
    return packets;
  }

  /** Answers what is there with one last packet, and drops the rest. */
  end(type: PacketType): void {
    this.takePackets();
    const poll = this.#poll;
    this.#poll = undefined;
    if (poll !== undefined) this.#answer(poll, [{ type, data: "" }], false);
    const post = this.#post;
    this.#post = undefined;
    this.#held = undefined;
    if (post === undefined) return;
    refuse(post, { code: ErrorCode.BAD_REQUEST, message: "The session has ended.", context: {} });
  }

  /** A request came. */
  handle(exchange: PollingExchange): void {
    if (exchange.request.method === "GET") this.#startPoll(exchange);
    else this.#startPost(exchange);
  }

  #startPoll(exchange: PollingExchange): void {
    const { request, response } = exchange;
    if (this.#poll !== undefined) {
      this.#overlap(response, "a poll came while another one waits");
      return;
    }
    this.#poll = exchange;
    response.once("close", () => {
      if (this.#poll === exchange) this.#poll = undefined;
      // An answer counts as finished when its socket is lost, and nobody knows how much of it arrived; by HTTP/2 also one that
      // was not given.
      const isGiven = response.writableEnded && response.writableFinished;
      if (isGiven && request.socket.errored === null) return;
      this.#owner.failed(new SocketIoError("request_aborted", "the client gave up a poll"));
    });
    if (this.#hurried || this.#waiting.packets.length > 0) this.#flush();
  }

  #startPost(exchange: PollingExchange): void {
    const { request, response } = exchange;
    if (this.#post !== undefined) {
      this.#overlap(response, "a POST came while another one is under way");
      return;
    }
    const isBinary = request.headers["content-type"] === "application/octet-stream";
    if (isBinary && this.#options.revision === 4) {
      this.#refuse(response, new SocketIoError("content_invalid", "revision 4 has no binary payloads"), 400);
      return;
    }
    this.#post = response;
    readBody(request, this.#options.maxBytes, (body) => {
      // The session may have ended meanwhile.
      if (this.#post !== response) return;
      this.#post = undefined;
      if (typeof body === "string") this.#bodyFailed(response, body);
      else this.#take(exchange, body, isBinary);
    });
  }

  #take(exchange: PollingExchange, body: Buffer, isBinary: boolean): void {
    const reader = this.#readerOf(exchange, body, isBinary);
    for (;;) {
      let packet: ReceivedPacket | undefined;
      try {
        packet = reader.next();
      } catch (error) {
        if (!(error instanceof SocketIoError)) throw error;
        this.#refuse(exchange.response, error, 400);
        return;
      }
      if (packet === undefined) break;
      if (!this.#handOn(exchange.response, packet)) {
        answerPost(exchange, this.#options.addHeaders);
        return;
      }
    }
    if (!this.#isPaused) {
      answerPost(exchange, this.#options.addHeaders);
      return;
    }
    this.#held = exchange;
    this.#post = exchange.response;
  }

  /** The application may throw on what it is told. */
  #handOn(response: ServerResponse, packet: ReceivedPacket): boolean {
    try {
      return this.#owner.received(packet);
    } catch (cause) {
      const error = new SocketIoError("handler_failed", "the endpoint failed", { cause });
      this.#refuse(response, error, 500);
      throw cause;
    }
  }

  #readerOf({ query }: PollingExchange, body: Buffer, isBinary: boolean): PayloadReader {
    const { revision } = this.#options;
    if (isBinary) return new BinaryPayloadReaderV3(body);
    const text = query.j === undefined ? body.toString() : (decodeJsonp(body.toString()) ?? "");
    return revision === 4 ? new PayloadReaderV4(text) : new TextPayloadReaderV3(text);
  }

  #flush(): void {
    const poll = this.#poll;
    if (poll === undefined || (!this.#hurried && this.#waiting.packets.length === 0)) return;
    this.#poll = undefined;
    const { packets, compress } = this.#waiting;
    this.takePackets();
    // Stock clients drop what came with their end: they hand it on in a later tick.
    const end = packets.length > 1 && packets.at(-1)?.type === PacketType.CLOSE ? packets.pop() : undefined;
    if (end !== undefined) this.send(end, false);
    this.#answer(poll, packets.length > 0 ? packets : [NOOP], compress);
    if (packets.length > 0 && end === undefined) this.#owner.drained();
  }

  #answer(poll: PollingExchange, packets: readonly Packet[], compress: boolean): void {
    const { revision, base64, compression, addHeaders } = this.#options;
    const supportsBinary = !base64 && poll.query.j === undefined;
    const payload = revision === 4 ? encodePayloadV4(packets) : encodePayloadV3(packets, supportsBinary);
    answerPoll(poll, payload, { compression: compress ? compression : undefined, addHeaders });
  }

  #bodyFailed(response: ServerResponse, failure: BodyFailure): void {
    if (failure === "aborted") {
      this.#owner.failed(new SocketIoError("request_aborted", "the client gave up a POST"));
      return;
    }
    const message = `a payload has at most ${this.#options.maxBytes} bytes (maxHttpBufferSize)`;
    this.#refuse(response, new SocketIoError("payload_too_large", message), 413);
  }

  #overlap(response: ServerResponse, message: string): void {
    this.#refuse(response, new SocketIoError("request_overlap", message), 400);
  }

  #refuse(response: ServerResponse, error: SocketIoError, status: number): void {
    this.#owner.failed(error);
    refuse(response, { code: ErrorCode.BAD_REQUEST, message: error.message, status, context: {} });
  }
}
