import type { Session } from "@sluice/hub";

/** One thing to do for a session; calls `done` once, when the next may begin. */
export type Task = (done: () => void) => void;

/** The bounds of what waits. */
export interface SessionQueueLimits {
  /** Messages of one session that wait behind the one under way, until its client is read no further. Default: 16. */
  readonly messages?: number;
  /** Bytes of messages that wait or are under way, of all sessions. Default: 67,108,864. Over it, messages are refused. */
  readonly bytes?: number;
}

/** What is to be done for one session, in order, one at a time. */
class SessionQueue {
  readonly session: Session;
  #waiting: Task[] = [];
  #isBusy = false;
  #isPaused = false;

  constructor(session: Session) {
    this.session = session;
  }

  add(task: Task): void {
    this.#waiting.push(task);
    if (!this.#isBusy) this.#next();
  }

  /** Stops reading from a client of whom so many things wait, and reads on when half of them are left. */
  regulate(most: number): void {
    const waiting = this.#waiting.length;
    if (!this.#isPaused && waiting >= most) {
      this.#isPaused = true;
      this.session.pause();
    } else if (this.#isPaused && waiting <= most / 2) {
      this.#isPaused = false;
      this.session.resume();
    }
  }

  #next(): void {
    const task = this.#waiting.shift();
    this.#isBusy = task !== undefined;
    task?.(() => this.#next());
  }
}

/** Keeps the order of each session: what happens to it is told to backends one after another. */
export class SessionQueues {
  readonly #queues = new WeakMap<Session, SessionQueue>();
  readonly #mostMessages: number;
  readonly #mostBytes: number;
  #bytes = 0;

  constructor(limits: SessionQueueLimits = {}) {
    this.#mostMessages = limits.messages ?? 16;
    this.#mostBytes = limits.bytes ?? 67_108_864;
  }

  /** Bytes of messages that wait or are under way. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds something that is not a message of the client, and so not bounded. */
  add(session: Session, task: Task): void {
    this.#of(session).add(task);
  }

  /** Adds a message of so many bytes; answers false, and adds nothing, where all messages together are too many bytes. */
  addMessage(session: Session, bytes: number, task: Task): boolean {
    if (this.#bytes + bytes > this.#mostBytes) return false;
    const queue = this.#of(session);
    this.#bytes += bytes;
    queue.add((done) => {
      task(() => {
        this.#bytes -= bytes;
        done();
        queue.regulate(this.#mostMessages);
      });
    });
    queue.regulate(this.#mostMessages);
    return true;
  }

  #of(session: Session): SessionQueue {
    let queue = this.#queues.get(session);
    if (queue === undefined) {
      queue = new SessionQueue(session);
      this.#queues.set(session, queue);
    }
    return queue;
  }
}
