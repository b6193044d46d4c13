import type { LiveSession } from "./live-session.ts";

const LARGEST_NUMBER = 0xffff_ffff;
const nobody: ReadonlySet<LiveSession> = new Set();

/** All sessions of a node, from the moment on at which a client asks to be let in. */
export class SessionTable {
  readonly #byId = new Map<string, LiveSession>();
  readonly #byNumber = new Map<number, LiveSession>();
  readonly #byUser = new Map<string, Set<LiveSession>>();
  readonly #byResumeKey = new Map<string, LiveSession>();
  #lastNumber = 0;

  get size(): number {
    return this.#byId.size;
  }

  /** A number that no session has. */
  nextNumber(): number {
    do this.#lastNumber = this.#lastNumber === LARGEST_NUMBER ? 1 : this.#lastNumber + 1;
    while (this.#byNumber.has(this.#lastNumber));
    return this.#lastNumber;
  }

  add(session: LiveSession): void {
    this.#byId.set(session.id, session);
    this.#byNumber.set(session.number, session);
    if (session.resumeKey !== "") this.#byResumeKey.set(session.resumeKey, session);
    this.#addUser(session, session.user);
  }

  delete(session: LiveSession): void {
    this.#byId.delete(session.id);
    this.#byNumber.delete(session.number);
    if (this.#byResumeKey.get(session.resumeKey) === session) this.#byResumeKey.delete(session.resumeKey);
    this.#deleteUser(session, session.user);
  }

  /** A session is another user's from now on. */
  moveUser(session: LiveSession, from: string, to: string): void {
    if (from === to || this.#byId.get(session.id) !== session) return;
    this.#deleteUser(session, from);
    this.#addUser(session, to);
  }

  /** All sessions, in the order in which they began; those that come or go while they are gone through do no harm. */
  all(): IterableIterator<LiveSession> {
    return this.#byNumber.values();
  }

  byId(id: string): LiveSession | undefined {
    return this.#byId.get(id);
  }

  byNumber(number: number): LiveSession | undefined {
    return this.#byNumber.get(number);
  }

  byUser(user: string): ReadonlySet<LiveSession> {
    return this.#byUser.get(user) ?? nobody;
  }

  byResumeKey(key: string): LiveSession | undefined {
    return this.#byResumeKey.get(key);
  }

  #addUser(session: LiveSession, user: string): void {
    if (user === "") return;
    const sessions = this.#byUser.get(user);
    if (sessions === undefined) this.#byUser.set(user, new Set([session]));
    else sessions.add(session);
  }

  #deleteUser(session: LiveSession, user: string): void {
    const sessions = this.#byUser.get(user);
    if (sessions?.delete(session) === true && sessions.size === 0) this.#byUser.delete(user);
  }
}
