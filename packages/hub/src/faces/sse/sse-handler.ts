import type { Answer } from "../../answer.ts";
import type { Refusal } from "../../attachment.ts";
import { type Clock, systemClock } from "../../clock.ts";
import type { Hub } from "../../hub.ts";
import type { Message } from "../../message.ts";
import { checkPositive } from "../check-limits.ts";
import { type Client, type ClientOptions, clientFromRequest, type KnownClient } from "../client.ts";
import { isRefusal } from "../refusal.ts";
import { httpStatusOfCode } from "../status-code.ts";
import {
  type HttpRefusal,
  refusalFromClose,
  refuse,
  type SseRequest,
  type SseResponse,
} from "./http-message.ts";
import { KeepAlive } from "./keep-alive.ts";
import { messageFromBody, takesContentType, unsupportedType } from "./message-body.ts";
import { readBody } from "./read-body.ts";
import { ownerOf, SseLink, type SseSurroundings } from "./sse-link.ts";
import { resolveSseLimits, type SseLimits } from "./sse-limits.ts";
import { streamWishFrom } from "./stream-request.ts";

/** How sessions are held on event streams. */
export interface SseOptions extends ClientOptions {
  /** Milliseconds of silence, at most, before a comment shows that the stream lives. Default 15,000. */
  readonly keepAliveMs?: number;
  /**
   * Milliseconds after which a client that lost its stream asks again, on average: each is told half to one and a half
   * of it at random, so that not all return at once. Default 2,000.
   */
  readonly retryMs?: number;
  readonly limits?: Partial<SseLimits>;
  /** Where time comes from. Default: the clock of this process. */
  readonly clock?: Clock;
  /** Where chance comes from, from 0 to below 1. Default: `Math.random`. */
  readonly random?: () => number;
}

/** Answers requests to one path, of an HTTP/1 server or of an HTTP/2 server's compatibility API. */
export type SseHandler = (request: SseRequest, response: SseResponse, known?: KnownClient) => void;

/**
 * Holds a hub's sessions on Server-Sent Events: a GET is a session's stream, and a POST is a message of it. The handler
 * answers every request that it is given, refusals as JSON. It sets no fields of CORS: what stands before it may.
 *
 * ```ts
 * const events = createSseHandler(hub);
 * createServer((request, response) => events(request, response)).listen(8080);
 * ```
 *
 * Throws a RangeError for an option that cannot be meant.
 */
export function createSseHandler(hub: Hub, options: SseOptions = {}): SseHandler {
  const streams = new Streams(hub, options);
  return (request, response, known) => {
    try {
      streams.handle(request, response, known);
    } catch (error) {
      hub.report(error);
      refuse(response, { status: 500, code: "INTERNAL", message: "the server failed" });
    }
  };
}

const unknownSession: HttpRefusal = {
  status: 404,
  code: "NOT_FOUND",
  message: "no open stream here has this session: open one with GET first",
};

/** All event streams of a hub. */
class Streams {
  readonly #hub: Hub;
  readonly #options: SseOptions;
  readonly #limits: SseLimits;
  readonly #clock: Clock;
  readonly #surroundings: SseSurroundings;
  readonly #byOwner = new Map<string, SseLink>();
  readonly #bySession = new Map<string, SseLink>();

  constructor(hub: Hub, options: SseOptions) {
    const { keepAliveMs, retryMs } = checkPositive({
      keepAliveMs: options.keepAliveMs ?? 15_000,
      retryMs: options.retryMs ?? 2_000,
    });
    const { clock = systemClock, random = Math.random } = options;
    const keepAlive = new KeepAlive(clock, keepAliveMs / 2);
    this.#hub = hub;
    this.#options = options;
    this.#limits = resolveSseLimits(options.limits);
    this.#clock = clock;
    this.#surroundings = {
      clock,
      closingMs: this.#limits.closingMs,
      retryMs: () => Math.round(retryMs * (0.5 + random())),
      begun: (link) => {
        keepAlive.add(link);
        this.#bySession.set(link.session, link);
        if (link.owner !== "") this.#byOwner.set(link.owner, link);
      },
      ended: (link) => {
        keepAlive.delete(link);
        if (this.#bySession.get(link.session) === link) this.#bySession.delete(link.session);
        if (this.#byOwner.get(link.owner) === link) this.#byOwner.delete(link.owner);
      },
    };
  }

  handle(request: SseRequest, response: SseResponse, known: KnownClient = {}): void {
    const client = clientFromRequest(request, this.#options, known);
    if (known.awaitsToken === true) {
      refuse(response, { status: 401, code: "UNAUTHENTICATED", message: "a token is required" });
    } else if (request.method === "GET") this.#open(request, response, client);
    else if (request.method === "POST") void this.#post(request, response, client);
    else {
      response.setHeader("allow", "GET, POST");
      refuse(response, {
        status: 405,
        code: "UNIMPLEMENTED",
        message: "GET opens a stream, POST sends a message",
      });
    }
  }

  #open(request: SseRequest, response: SseResponse, { request: asked, query, identity }: Client): void {
    if (!acceptsEvents(request.headers.accept)) {
      const message = "a stream is text/event-stream: say so in Accept";
      refuse(response, { status: 406, code: "INVALID_ARGUMENT", message });
      return;
    }
    const lastEventId = request.headers["last-event-id"] ?? query.get("lastEventId") ?? "";
    const wish = streamWishFrom(query, String(lastEventId));
    if (typeof wish === "string") {
      refuse(response, { status: 400, code: "INVALID_ARGUMENT", message: wish });
      return;
    }
    const who = identity === undefined ? {} : { identity };
    const link = new SseLink(response, { ...wish, ...who }, this.#surroundings);
    const { rooms, resume } = wish;
    const attach = { ...asked, ...who, rooms, ...(resume === undefined ? {} : { resume }) };
    void this.#hub.attach(link, attach).then((result) => {
      if (isRefusal(result)) link.close(result.code, result.reason);
    });
  }

  async #post(request: SseRequest, response: SseResponse, client: Client): Promise<void> {
    const contentType = request.headers["content-type"];
    const link = this.#linkOf(request, client);
    const refusal = link === undefined ? unknownSession : this.#objectionTo(link, contentType);
    if (link === undefined || refusal !== undefined) {
      refuse(response, refusal ?? unknownSession);
      // Over HTTP/2, a body that nobody reads would keep its stream open.
      request.resume();
      return;
    }
    link.pending++;
    try {
      const bounds = {
        maxBytes: this.#hub.limits.messageBytes,
        bodyMs: this.#limits.bodyMs,
        clock: this.#clock,
      };
      const body = await readBody(request, bounds);
      if (body === undefined) return;
      const said = "status" in body ? body : messageFromBody(contentType, body);
      if ("status" in said) refuse(response, said);
      else answerPost(response, await link.post(said, client.query.get("type") ?? ""));
    } finally {
      link.pending--;
    }
  }

  /** The stream of the session for which a client speaks. */
  #linkOf(request: SseRequest, { query, identity }: Client): SseLink | undefined {
    const key = query.get("resume");
    if (key !== null) return this.#byOwner.get(ownerOf(key, identity));
    const link = this.#bySession.get(String(request.headers["sluice-session"]));
    // A token of another user does not speak for it, even where it knows the id.
    return identity !== undefined && link?.attachment?.session.user !== identity.user ? undefined : link;
  }

  #objectionTo(link: SseLink, contentType: string | undefined): HttpRefusal | undefined {
    if (!takesContentType(contentType)) return unsupportedType;
    if (link.isPaused) {
      return {
        status: 503,
        code: "UNAVAILABLE",
        message: "the server takes no messages of this session now",
      };
    }
    const { pendingPosts } = this.#limits;
    if (link.pending < pendingPosts) return undefined;
    const message = `${pendingPosts} messages of this session are on their way: wait for their answers`;
    return { status: 429, code: "RESOURCE_EXHAUSTED", message };
  }
}

/** Whether `Accept` lets an event stream be an answer (RFC 9110 section 12.5.1). */
function acceptsEvents(accept: string | undefined): boolean {
  if (accept === undefined) return true;
  const ranges = accept.split(",").map((range) => range.split(";", 1)[0]!.trim().toLowerCase());
  return ranges.some((range) => range === "text/event-stream" || range === "text/*" || range === "*/*");
}

/** Answers a POST: 202, or 200 with what the backend replied, or why the message was refused. */
function answerPost(response: SseResponse, result: Answer | Refusal): void {
  if (response.destroyed) return;
  if (isRefusal(result)) refuse(response, refusalFromClose(result.code, result.reason));
  else if (!result.ok) {
    const { code, message } = result;
    refuse(response, { status: httpStatusOfCode(code), code, message });
  } else if (result.reply === undefined) {
    response.statusCode = 202;
    response.setHeader("content-length", "0");
    response.end();
  } else sendReply(response, result.reply);
}

function sendReply(response: SseResponse, { data, isJson }: Message): void {
  const type =
    typeof data !== "string" ? "application/octet-stream" : isJson ? "application/json" : "text/plain";
  response.statusCode = 200;
  response.setHeader("content-type", type === "text/plain" ? "text/plain; charset=utf-8" : type);
  response.setHeader("content-length", String(Buffer.byteLength(data)));
  response.end(data);
}
