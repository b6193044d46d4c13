import type { HistoryPage, HistoryRequest, Published, PublishRequest } from "./broker/broker.ts";
import type { Core } from "./core.ts";
import { HubError } from "./hub-error.ts";
import type { LiveSession } from "./live-session.ts";
import type { Message } from "./message.ts";
import type { Presence } from "./presence.ts";
import type { Position, Publication } from "./publication.ts";
import { Room } from "./room.ts";
import { type RoomOptions, type SlowPolicy, validateRoomOptions } from "./room-options.ts";
import type { HistoryOptions, JoinResult, PublishOptions } from "./session.ts";

/** Bytes of an idempotency key, or of an epoch, as UTF-8. */
const KEY_BYTES = 255;

const empty: Presence = { members: [], sessions: 0, users: 0 };

/** The rooms that sessions of this node are in, and the way to all others. */
export class Rooms {
  readonly #core: Core;
  readonly #rooms = new Map<string, Room>();

  constructor(core: Core) {
    this.#core = core;
  }

  /** How many rooms have sessions of this node. */
  get size(): number {
    return this.#rooms.size;
  }

  /** What a room is like. Throws a `HubError` if the application's rule does, or says what cannot be. */
  optionsOf(name: string): RoomOptions {
    const room = this.#rooms.get(name);
    if (room !== undefined) return room.options;
    try {
      const options = this.#core.rule(name);
      validateRoomOptions(`The room "${name}"`, options);
      return options;
    } catch (cause) {
      this.#core.events.error(undefined, cause);
      throw new HubError("FAILED_PRECONDITION", `The options of the room "${name}" are wrong.`, { cause });
    }
  }

  /** What becomes of what a slow session in a room has no space for. */
  slowPolicy(name: string): SlowPolicy {
    return this.#rooms.get(name)?.options.slow ?? "close";
  }

  /** See `Session.join`. */
  async join(session: LiveSession, name: string, since: Position | undefined): Promise<JoinResult> {
    if (session.isClosed) throw new HubError("FAILED_PRECONDITION", "The session is over.");
    this.#validateName(name);
    if (since !== undefined) validatePosition(since);
    const room = this.#enter(session, name);
    try {
      return await room.join(session, since);
    } catch (error) {
      if (!(error instanceof HubError)) this.#core.events.error(session, error);
      if (this.#rooms.get(name) === room && !room.has(session)) await this.#left(session, room);
      throw HubError.from(error);
    }
  }

  /** See `Session.leave`. */
  async leave(session: LiveSession, name: string): Promise<void> {
    const room = this.#rooms.get(name);
    if (room === undefined || !session.rooms.has(name)) return;
    room.leave(session);
    await this.#left(session, room);
  }

  /** Takes a session that is over out of all rooms; it still knows which they were. */
  leaveAll(session: LiveSession): void {
    for (const name of session.rooms) {
      const room = this.#rooms.get(name);
      room?.leave(session);
      if (room?.size === 0) void this.#close(room);
    }
  }

  /** What others may see of a session is not what it was. */
  changed(session: LiveSession): void {
    for (const name of session.rooms) this.#rooms.get(name)?.changed();
  }

  /** The sessions in a room, on this node. */
  *members(name: string): IterableIterator<LiveSession> {
    const room = this.#rooms.get(name);
    if (room !== undefined) yield* room.members();
  }

  /** Who is in a room, on this node. */
  presence(name: string): Presence {
    return this.#rooms.get(name)?.presence ?? empty;
  }

  /** See `Hub.publish`. */
  async publish(name: string, message: Message, options: PublishOptions): Promise<Published> {
    const { except, idempotencyKey, expectedEpoch } = options;
    this.#validateName(name);
    this.validateMessage(message);
    if (idempotencyKey !== undefined) validateKey("idempotency key", idempotencyKey);
    const { history } = this.optionsOf(name);
    if (expectedEpoch !== undefined && history === undefined) throw noHistory(name);
    const request: PublishRequest = {
      room: name,
      message,
      ...(history === undefined ? {} : { history }),
      ...(except === undefined ? {} : { except }),
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      ...(expectedEpoch === undefined ? {} : { expectedEpoch }),
    };
    return this.#ask(this.#core.broker.publish(request));
  }

  /** See `Hub.history`. */
  async history(name: string, { since, limit, reverse = false }: HistoryOptions): Promise<HistoryPage> {
    this.#validateName(name);
    if (since !== undefined) validatePosition(since);
    const { historyPage } = this.#core.limits;
    const most = limit ?? historyPage;
    if (!(most >= 0)) throw new HubError("INVALID_ARGUMENT", `A limit of ${most} cannot be meant.`);
    if (this.optionsOf(name).history === undefined) throw noHistory(name);
    const request: HistoryRequest = {
      limit: Math.min(Math.floor(most), historyPage),
      reverse,
      ...(since === undefined ? {} : { since }),
    };
    return this.#ask(this.#core.broker.history(name, request));
  }

  /** Throws if a message is larger than a client may be told by others. */
  validateMessage(message: Message): void {
    const { messageBytes } = this.#core.limits;
    if (message.contentBytes <= messageBytes) return;
    throw new HubError(
      "INVALID_ARGUMENT",
      `A message has at most ${messageBytes} bytes (limits.messageBytes); this one has ${message.contentBytes}.`,
    );
  }

  /** A publication has come from the broker. */
  receive(publication: Publication): void {
    this.#rooms.get(publication.room)?.receive(publication);
  }

  /** The broker may have missed something. */
  check(): void {
    for (const room of this.#rooms.values()) room.check();
  }

  /** The room, with a place for the session. */
  #enter(session: LiveSession, name: string): Room {
    const known = this.#rooms.get(name);
    if (known !== undefined && session.rooms.has(name)) return known;
    const { roomsPerSession } = this.#core.limits;
    if (session.rooms.size >= roomsPerSession) {
      throw new HubError(
        "RESOURCE_EXHAUSTED",
        `A session is in at most ${roomsPerSession} rooms (limits.roomsPerSession).`,
      );
    }
    const { maxMembers = Infinity } = known?.options ?? {};
    if (known !== undefined && known.size >= maxMembers) {
      throw new HubError(
        "RESOURCE_EXHAUSTED",
        `The room "${name}" has at most ${maxMembers} members (RoomOptions.maxMembers).`,
      );
    }
    const room = known ?? new Room(this.#core, name, this.optionsOf(name));
    this.#rooms.set(name, room);
    session.addRoom(name);
    return room;
  }

  async #left(session: LiveSession, room: Room): Promise<void> {
    session.deleteRoom(room.name);
    if (room.size === 0) await this.#close(room);
  }

  async #close(room: Room): Promise<void> {
    this.#rooms.delete(room.name);
    room.stop();
    try {
      await this.#core.broker.unsubscribe(room.name);
    } catch (error) {
      this.#core.events.error(undefined, error);
    }
  }

  async #ask<Answer>(answer: Promise<Answer>): Promise<Answer> {
    try {
      return await answer;
    } catch (error) {
      if (!(error instanceof HubError)) this.#core.events.error(undefined, error);
      throw HubError.from(error);
    }
  }

  #validateName(name: string): void {
    const { roomNameBytes } = this.#core.limits;
    const bytes = Buffer.byteLength(name);
    if (bytes > 0 && bytes <= roomNameBytes) return;
    throw new HubError(
      "INVALID_ARGUMENT",
      `The name of a room has 1 to ${roomNameBytes} bytes (limits.roomNameBytes); this one has ${bytes}.`,
    );
  }
}

function noHistory(room: string): HubError {
  return new HubError("FAILED_PRECONDITION", `The room "${room}" keeps no history.`);
}

function validatePosition({ epoch, offset }: Position): void {
  validateKey("epoch", epoch);
  if (Number.isSafeInteger(offset) && offset >= 0) return;
  throw new HubError("INVALID_ARGUMENT", `An offset is a whole number, 0 or above; not ${offset}.`);
}

function validateKey(name: string, key: string): void {
  const bytes = Buffer.byteLength(key);
  if (bytes <= KEY_BYTES) return;
  throw new HubError("INVALID_ARGUMENT", `An ${name} has at most ${KEY_BYTES} bytes; this one has ${bytes}.`);
}
