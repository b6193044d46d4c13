import { DeadlineQueue } from "@sluice/hub";
import type { Clock } from "@sluice/websocket";
import type { Revision } from "./codec/packet.ts";

/** A session as its heartbeat sees it. */
export interface Beating {
  readonly protocol: Revision;
  /** A ping is to be sent. Only in revision 4. */
  beat(): void;
  /** The other side was not heard of in time. */
  beatMissed(): void;
}

/** How often, in milliseconds. */
export interface HeartbeatOptions {
  readonly pingInterval: number;
  readonly pingTimeout: number;
  readonly clock: Clock;
}

/**
 * The heartbeat of all sessions of a server, with three timers. In revision 4 the server pings `pingInterval` after the
 * last pong and waits `pingTimeout` for the next one, once longer where another packet shows that the client lives; in
 * revision 3 the client pings, and the server waits for both times together.
 */
export class Heartbeat {
  readonly #untilPing: DeadlineQueue<Beating>;
  readonly #untilPong: DeadlineQueue<Beating>;
  /** Those whose wait for a pong was made longer. */
  readonly #extended: DeadlineQueue<Beating>;
  readonly #untilPeersPing: DeadlineQueue<Beating>;

  constructor({ pingInterval, pingTimeout, clock }: HeartbeatOptions) {
    this.#untilPong = new DeadlineQueue(pingTimeout, clock, missed);
    this.#extended = new DeadlineQueue(pingTimeout, clock, missed);
    this.#untilPeersPing = new DeadlineQueue(pingInterval + pingTimeout, clock, missed);
    this.#untilPing = new DeadlineQueue(pingInterval, clock, (session) => {
      this.#untilPong.add(session);
      session.beat();
    });
  }

  /** A session began, or its ping or pong came. */
  heard(session: Beating): void {
    if (session.protocol === 3) {
      this.#untilPeersPing.add(session);
      return;
    }
    this.#untilPong.delete(session);
    this.#extended.delete(session);
    this.#untilPing.add(session);
  }

  /** Another packet of a session came: a large one before the pong may have held that up. */
  stirred(session: Beating): void {
    if (session.protocol === 3 || !this.#untilPong.has(session)) return;
    this.#untilPong.delete(session);
    this.#extended.add(session);
  }

  /** A session has ended. */
  forget(session: Beating): void {
    this.#untilPing.delete(session);
    this.#untilPong.delete(session);
    this.#extended.delete(session);
    this.#untilPeersPing.delete(session);
  }
}

function missed(session: Beating): void {
  session.beatMissed();
}
