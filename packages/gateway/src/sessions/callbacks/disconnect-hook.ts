import type { Clock, Disconnection, Session } from "@sluice/hub";
import type { Status } from "@sluice/rpc";
import type { DisconnectResponse } from "../generated/sluice/session/v1/session_pb.ts";
import type { SessionQueues } from "../session-queues.ts";
import type { DisconnectQueue } from "./disconnect-queue.ts";
import { disconnectEvent } from "./events.ts";
import type { Outcome } from "./hook.ts";

/** What the hook needs of the callbacks that it belongs to. */
export interface DisconnectHookOptions {
  /** Whether the backend is called for ends at all. */
  readonly isWanted: boolean;
  readonly disconnects: DisconnectQueue;
  readonly queues: SessionQueues;
  readonly clock: Clock;
  /** Told of each Disconnect, before it waits for its turn. */
  readonly called: () => void;
  /** Carries out effects; answers a status where it does not. */
  readonly apply: (session: Session, response: DisconnectResponse) => Promise<Status | undefined>;
  readonly failed: (session: Session, status: Status) => void;
  /** Told of a Disconnect that the backend may not have had. */
  readonly gaveUp: (session: Session, status: Status) => void;
}

/** The ends of sessions, which the backend is owed for each of which it knows, or may know. */
export class DisconnectHook {
  readonly #options: DisconnectHookOptions;
  /** Sessions that have not ended. */
  readonly #owed = new Set<Session>();
  /** Sessions whose end the backend is being told. */
  #leaving = 0;
  #whenIdle: (() => void)[] = [];

  constructor(options: DisconnectHookOptions) {
    this.#options = options;
  }

  /** The backend is about to hear of a session, and is to be told its end. */
  owe(session: Session): void {
    this.#owed.add(session);
  }

  /** The hub has let a session in, of which the backend may not have heard. */
  connected(session: Session): void {
    if (this.#options.isWanted) this.#owed.add(session);
  }

  /** The backend knows nothing of a session, or that it is over. */
  forgive(session: Session): void {
    this.#owed.delete(session);
    this.#settled();
  }

  /** A session is over: the backend is told, if that is owed. */
  disconnected(session: Session, disconnection: Disconnection): void {
    const { isWanted, queues, called, disconnects } = this.#options;
    if (!this.#owed.delete(session) || !isWanted) return this.#settled();
    this.#leaving++;
    const rooms = [...session.rooms];
    queues.add(session, (done) => {
      called();
      disconnects.add(
        () => disconnectEvent(session, rooms, disconnection),
        (outcome) => {
          void this.#told(session, outcome).then(done);
        },
      );
    });
  }

  /** Resolves when every Disconnect that is owed has been told or given up, at the latest after so many milliseconds. */
  async drain(ms: number): Promise<void> {
    if (this.#owed.size + this.#leaving === 0) return;
    await new Promise<void>((resolve) => {
      const timer = this.#options.clock.after(ms, resolve);
      this.#whenIdle.push(() => {
        timer.cancel();
        resolve();
      });
    });
  }

  async #told(session: Session, { answer, failure }: Outcome): Promise<void> {
    const { apply, failed, gaveUp } = this.#options;
    if (failure !== undefined) gaveUp(session, failure);
    const problem = answer?.case === "disconnect" ? await apply(session, answer.value) : undefined;
    if (problem !== undefined) failed(session, problem);
    this.#leaving--;
    this.#settled();
  }

  #settled(): void {
    if (this.#owed.size + this.#leaving > 0) return;
    for (const idle of this.#whenIdle.splice(0)) idle();
  }
}
