import { Message, type Answer, type AnswerListener, type Session } from "@sluice/hub";
import { Code, nameOfCode } from "@sluice/protocol";
import {
  createStatus,
  jsonFromStatus,
  parseJson,
  statusFromError,
  type Call,
  type DirectoryEntry,
  type DirectorySource,
  type JsonValue,
  type MessageCodec,
  type Metadata,
  type Status,
} from "@sluice/rpc";

/** Which events are gRPC calls: those with the name of a method. */
export interface EventMethodsOptions {
  /** The methods that there are. */
  readonly methods: DirectorySource;
  /** What the backend is told of a client. */
  readonly metadata: (session: Session) => Metadata;
  /** Calls of one session at the same time. Default: 100. Over it: RESOURCE_EXHAUSTED. */
  readonly callsPerSession?: number;
  /** Told of each call that failed; for the log. */
  readonly report?: (session: Session, path: string, status: Status) => void;
}

/** A service that is in a package, as events of other kinds may have a slash in their names too. */
const methodName = /^\/?([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+\/[A-Za-z_]\w*)$/;
const closing = createStatus(Code.UNAVAILABLE, "the gateway is shutting down");
const left = createStatus(Code.CANCELLED, "the client has left");

/**
 * Events whose name is that of a unary method, `package.Service/Method`: their argument is the request as JSON, and the
 * acknowledgement the response, or `{"error":{"code","status","message","details"}}`. Calls of one session are not held
 * up by each other.
 */
export class EventMethods {
  readonly #options: EventMethodsOptions;
  readonly #calls = new Map<Session, Set<Call>>();
  #isClosed = false;

  constructor(options: EventMethodsOptions) {
    this.#options = options;
  }

  /** Takes a message of a client; answers false, and does nothing, where it does not have the name of a method. */
  receive(session: Session, message: Message, answer: AnswerListener): boolean {
    const name = methodName.exec(message.type)?.[1];
    if (name === undefined) return false;
    const path = `/${name}`;
    const entry = this.#isClosed ? closing : this.#options.methods().find(path);
    // What is no method may be an event that the backend knows.
    if ("code" in entry && entry.code === Code.UNIMPLEMENTED) return false;
    const fail = (status: Status): void => {
      this.#options.report?.(session, path, status);
      answer(failureFrom(status, "code" in entry ? undefined : entry.any));
    };
    if ("code" in entry) fail(entry);
    else this.#call(session, entry, message, fail, answer);
    return true;
  }

  /** A session is over: its calls are nobody's. */
  ended(session: Session): void {
    for (const call of this.#calls.get(session) ?? []) call.cancel(left);
  }

  /** Ends the calls that are open with UNAVAILABLE, and those to come. */
  close(): void {
    this.#isClosed = true;
    for (const calls of this.#calls.values()) for (const call of calls) call.cancel(closing);
  }

  #call(
    session: Session,
    entry: DirectoryEntry,
    message: Message,
    fail: (status: Status) => void,
    answer: AnswerListener,
  ): void {
    const { method, backend, input, output } = entry;
    const calls = this.#calls.get(session) ?? new Set<Call>();
    const { callsPerSession = 100, metadata } = this.#options;
    if (method.kind !== "unary") {
      return fail(
        createStatus(Code.UNIMPLEMENTED, `${method.path} is a stream, and an event can only be a unary call`),
      );
    }
    if (calls.size >= callsPerSession) {
      return fail(
        createStatus(Code.RESOURCE_EXHAUSTED, `at most ${callsPerSession} calls of a client at a time`),
      );
    }
    let request: Uint8Array;
    try {
      const found = requestIn(message);
      if ("code" in found) return fail(found);
      request = input.bytesFromJson(found.json);
    } catch (error) {
      return fail(statusFromError(error, Code.INVALID_ARGUMENT));
    }
    let reply: string | undefined;
    const call = backend.open(
      { method, metadata: metadata(session) },
      {
        headers: () => undefined,
        message: (bytes) => {
          try {
            reply = output.jsonFromBytes(bytes);
          } catch (error) {
            call.cancel(statusFromError(error, Code.INTERNAL));
          }
        },
        drain: () => undefined,
        end: (status) => {
          calls.delete(call);
          if (calls.size === 0) this.#calls.delete(session);
          if (status.code !== Code.OK) fail(status);
          else if (reply === undefined) fail(createStatus(Code.INTERNAL, `${method.path} answered nothing`));
          else answer({ ok: true, reply: new Message({ data: reply, isJson: true }) });
        },
      },
    );
    calls.add(call);
    this.#calls.set(session, calls);
    call.send(request);
    call.halfClose();
  }
}

/** The request as JSON; a status for what is no single argument, or none that JSON can be. */
function requestIn({ data, isJson, isList }: Message): { readonly json: JsonValue | undefined } | Status {
  if (typeof data !== "string") return wrong("the request must be JSON, and these are bytes");
  if (!isJson) return { json: data };
  const json = parseJson(data);
  if (!isList || !Array.isArray(json)) return { json };
  return json.length > 1
    ? wrong(`a call takes one request, and these are ${json.length}`)
    : { json: json[0] };
}

function wrong(text: string): Status {
  return createStatus(Code.INVALID_ARGUMENT, text);
}

/** How a client is told of a failure: as JSON, because there may be more to say than an answer can hold. */
function failureFrom(status: Status, any: MessageCodec | undefined): Answer {
  const { code } = status;
  const data = `{"error":{"status":"${nameOfCode(code)}",${jsonFromStatus(status, any).slice(1)}}`;
  return { ok: true, reply: new Message({ data, isJson: true }) };
}
