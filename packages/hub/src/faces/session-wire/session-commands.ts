import type { Answer, AnswerListener } from "../../answer.ts";
import type { Attachment } from "../../attachment.ts";
import { HubError } from "../../hub-error.ts";
import type { JoinResult } from "../../session.ts";
import { unidentified } from "../closing.ts";
import { Pause, type SocketLink } from "../websocket/socket-link.ts";
import {
  answerFromHistory,
  answerFromJoin,
  answerFromPresence,
  answerFromPublished,
  answerFromReply,
  commandErrorFrom,
} from "./answers.ts";
import type { Command, InvalidCommand } from "./client-message.ts";
import { RoomOrder } from "./room-order.ts";
import { type CommandError, encodeError, encodeOk } from "./server-message.ts";
import type { SessionFrame } from "./session-frame.ts";
import type { SessionWireOptions } from "./session-wire.ts";

/** Is told of what happens to the rooms of a client, so that answers and deliveries come in the right order. */
export interface RoomWatcher {
  /** A `join` is asked of the hub. */
  joining(room: string): void;
  /** Its answer has been written; a `JoinResult` where it was let in. */
  answered(room: string, result: JoinResult | undefined): void;
  /** The client has left a room. */
  left(room: string): void;
}

/** Where `refresh` stands in the order of rooms, of which none has an empty name. */
const refreshOrder = "";

/** What clients ask for: each command is obeyed, and answered once where it has an id. */
export class SessionCommands {
  readonly #link: SocketLink<SessionFrame>;
  readonly #options: SessionWireOptions;
  readonly #watcher: RoomWatcher;
  readonly #order = new RoomOrder();
  #pending = 0;

  constructor(link: SocketLink<SessionFrame>, options: SessionWireOptions, watcher: RoomWatcher) {
    this.#link = link;
    this.#options = options;
    this.#watcher = watcher;
  }

  /** Obeys a command, after those of the same room that came before it. */
  start(attachment: Attachment, command: Command): void {
    this.#pending++;
    if (this.#pending >= this.#options.pendingCommands) this.#link.pauseFor(Pause.COMMANDS);
    if (command.verb === "send") {
      const { id, said, type } = command;
      const answer: AnswerListener = (answered) => {
        this.#answerSend(id, answered);
        this.#done();
      };
      attachment.receive(said.data, { isJson: said.isJson, type, answer });
      return;
    }
    const order = command.verb === "refresh" ? refreshOrder : command.room;
    void this.#order.run(order, () => this.#answer(attachment, command)).then(() => this.#done());
  }

  /** Answers a command that cannot be obeyed. */
  refuse({ id, problem }: InvalidCommand): void {
    this.#error(id, { code: "INVALID_ARGUMENT", message: problem });
  }

  #done(): void {
    this.#pending--;
    if (this.#pending < this.#options.pendingCommands) this.#link.resumeFor(Pause.COMMANDS);
  }

  #answerSend(id: number | undefined, answer: Answer): void {
    if (answer.ok) this.#ok(id, answerFromReply(answer.reply));
    else this.#error(id, { code: answer.code, message: answer.message });
  }

  async #answer(attachment: Attachment, command: Exclude<Command, { verb: "send" }>): Promise<void> {
    if (command.verb === "join") {
      await this.#join(attachment, command);
      return;
    }
    try {
      this.#ok(command.id, await this.#obey(attachment, command));
    } catch (error) {
      this.#failed(command.id, error);
    }
  }

  async #join(
    attachment: Attachment,
    { id, room, since }: Extract<Command, { verb: "join" }>,
  ): Promise<void> {
    this.#watcher.joining(room);
    let result: JoinResult | undefined;
    try {
      result = await attachment.join(room, since === undefined ? {} : { since });
      this.#ok(id, answerFromJoin(result));
    } catch (error) {
      this.#failed(id, error);
    }
    this.#watcher.answered(room, result);
  }

  async #obey(attachment: Attachment, command: Exclude<Command, { verb: "send" | "join" }>): Promise<string> {
    switch (command.verb) {
      case "leave":
        await attachment.leave(command.room);
        this.#watcher.left(command.room);
        return "{}";
      case "publish": {
        const { room, said, type, key } = command;
        const options = key === undefined ? {} : { idempotencyKey: key };
        return answerFromPublished(await attachment.publish(room, { ...said, type }, options));
      }
      case "presence":
        return answerFromPresence(await attachment.presence(command.room));
      case "history": {
        const { room, since, limit, reverse } = command;
        const page = await attachment.history(room, {
          reverse,
          ...(since === undefined ? {} : { since }),
          ...(limit === undefined ? {} : { limit }),
        });
        return answerFromHistory(page, this.#options.historyBytes);
      }
      case "refresh":
        return this.#refresh(attachment, command.token);
    }
  }

  async #refresh({ session }: Attachment, token: string): Promise<string> {
    const { identify } = this.#options;
    if (identify === undefined) {
      throw new HubError("FAILED_PRECONDITION", "no tokens are taken on this wire here");
    }
    const identity = await identify(token, session).catch((error: unknown) => {
      throw new Unidentified(unidentified(error).reason);
    });
    // Another link may know better by now.
    if (!this.#link.isOpen) throw new HubError("FAILED_PRECONDITION", "the connection is closed");
    if (identity.user !== session.user) {
      throw new HubError("PERMISSION_DENIED", "the token is of another user: connect again with it");
    }
    session.identify(identity);
    this.#link.expiresAt(identity.expiresAt);
    return JSON.stringify({ expiresAt: identity.expiresAt });
  }

  #ok(id: number | undefined, answer: string): void {
    if (id !== undefined) this.#write(encodeOk(id, answer));
  }

  #failed(id: number | undefined, error: unknown): void {
    if (error instanceof Unidentified) {
      this.#error(id, { code: "UNAUTHENTICATED", message: error.message });
      return;
    }
    if (!(error instanceof HubError)) this.#options.failed(error);
    this.#error(id, commandErrorFrom(error));
  }

  #error(id: number | undefined, error: CommandError): void {
    this.#write(encodeError(id, error));
  }

  /** A client that does not read its answers is not asked for more commands. */
  #write(answer: string): void {
    if (!this.#link.write(answer)) this.#link.pauseFor(Pause.ANSWERS);
  }
}

/** A token that is worth nothing; thrown and caught in this file only. */
class Unidentified extends Error {}
