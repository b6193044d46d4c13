import type { ServerInterceptor } from "@grpc/grpc-js";
import { ResponderBuilder, ServerInterceptingCall, ServerListenerBuilder } from "@grpc/grpc-js";

/** One call as the server saw it. Live: its fields change while the call runs. */
export interface CallRecord {
  /** `/package.Service/Method`. */
  readonly path: string;
  /** The value of `:authority`. */
  readonly authority: string;
  /** Messages that came. */
  readonly received: number;
  /** Messages handed to the transport, which takes no more than flow control admits. */
  readonly sent: number;
  /** Whether the client has said that it sends no more. */
  readonly halfClosed: boolean;
  /** `cancelled` covers a client that cancelled, a deadline that passed and a connection that was lost. */
  readonly state: "open" | "ended" | "cancelled";
}

/** What the calls of a server did; for tests that wait on it rather than sleep. */
export interface CallLog {
  /** Every call since the start, the reflection calls included, in order. */
  readonly records: readonly CallRecord[];
  readonly started: number;
  readonly open: number;
  readonly ended: number;
  readonly cancelled: number;
  /**
   * Resolves once `condition` holds, which is asked at once and after every change.
   * Rejects after `timeoutMs` (default: 5000) with what was there instead.
   */
  until(condition: (log: CallLog) => boolean, timeoutMs?: number): Promise<void>;
}

type MutableRecord = { -readonly [Key in keyof CallRecord]: CallRecord[Key] };

/** Writes a call log from within a grpc-js server. */
export class CallRecorder implements CallLog {
  readonly records: MutableRecord[] = [];
  readonly #waiting = new Set<() => void>();

  get started(): number {
    return this.records.length;
  }

  get open(): number {
    return this.#count("open");
  }

  get ended(): number {
    return this.#count("ended");
  }

  get cancelled(): number {
    return this.#count("cancelled");
  }

  until(condition: (log: CallLog) => boolean, timeoutMs = 5000): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        if (!condition(this)) return;
        clearTimeout(timer);
        this.#waiting.delete(check);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(check);
        const last = JSON.stringify(this.records.slice(-5));
        reject(new Error(`what was waited for did not happen within ${timeoutMs} ms; last calls: ${last}`));
      }, timeoutMs);
      this.#waiting.add(check);
      check();
    });
  }

  /** Sees every call of the server that it is given to. */
  readonly interceptor: ServerInterceptor = (method, call) => {
    const record: MutableRecord = {
      path: method.path,
      authority: call.getHost(),
      received: 0,
      sent: 0,
      halfClosed: false,
      state: "open",
    };
    this.records.push(record);
    this.#changed();
    const end = (state: "ended" | "cancelled"): void => {
      if (record.state !== "open") return;
      record.state = state;
      this.#changed();
    };
    const listener = new ServerListenerBuilder()
      .withOnReceiveMessage((message, next) => {
        record.received++;
        this.#changed();
        next(message);
      })
      .withOnReceiveHalfClose((next) => {
        record.halfClosed = true;
        this.#changed();
        next();
      })
      .withOnCancel(() => end("cancelled"))
      .build();
    const responder = new ResponderBuilder()
      .withStart((next) => next(listener))
      .withSendMessage((message, next) => {
        record.sent++;
        this.#changed();
        next(message);
      })
      .withSendStatus((status, next) => {
        end("ended");
        next(status);
      })
      .build();
    return new ServerInterceptingCall(call, responder);
  };

  #count(state: CallRecord["state"]): number {
    return this.records.filter((record) => record.state === state).length;
  }

  #changed(): void {
    for (const check of this.#waiting) check();
  }
}
