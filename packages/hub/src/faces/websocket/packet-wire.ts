import { PreparedMessage } from "@sluice/websocket";
import type { Answer } from "../../answer.ts";
import type { Attachment, Refusal } from "../../attachment.ts";
import { CloseCode } from "../../close-code.ts";
import type { Face } from "../../face.ts";
import { HubError } from "../../hub-error.ts";
import { Message } from "../../message.ts";
import type { Session } from "../../session.ts";
import type { Client } from "../client.ts";
import { closingFromError, unsupportedData } from "../closing.ts";
import { decodePackets, encodePacket, type Packet, type PacketLimits } from "../packet/packet-codec.ts";
import { refusedPacket, refusedPacketType } from "../packet/refused-packet.ts";
import { isRefusal } from "../refusal.ts";
import type { Identify } from "../timed-identity.ts";
import type { Conversation, Wire } from "./conversation.ts";
import { QueryOpener } from "./query-opener.ts";
import { Pause, type SocketLink } from "./socket-link.ts";

/** Which types of packets an application knows: a set of them, or what a function says. */
export type PacketTypes = ReadonlySet<number> | ((type: number) => boolean);

/** How packets are read. */
export interface PacketWireOptions {
  readonly limits: PacketLimits;
  /** Bytes of one incoming message, with all its packets. */
  readonly maxMessageBytes: number;
  readonly types?: PacketTypes | undefined;
  /** Is told of what `types` throws. */
  readonly report: (error: unknown, session: Session) => void;
  readonly identify?: Identify | undefined;
}

/** The face `packet`: each message is a packet of its own, whose type is the message's if that is a number. */
export const packetFace: Face<PreparedMessage> = {
  name: "packet",
  message: (message) => new PreparedMessage(encodePacket(packetFromMessage(message))),
  publication: ({ message }) => new PreparedMessage(encodePacket(packetFromMessage(message))),
};

/** That a packet was refused, on its way through the session. */
class RefusalMessage extends Message {}

function packetFromMessage(message: Message): Packet {
  const { data, type, from } = message;
  const content = typeof data === "string" ? Buffer.from(data) : data;
  const isRefused = message instanceof RefusalMessage;
  return { type: isRefused ? refusedPacketType : typeFromName(type), who: from, content };
}

/** A reply, with the type of what it answers where it has none of its own. */
function replyFrom({ data, isJson, type, from }: Message, answered: number): Message {
  return new Message({ data, isJson, type: type === "" ? String(answered) : type, from });
}

/** The uint32 that the name of a message is; 0 for a name that is none, or that would look like a refusal. */
function typeFromName(name: string): number {
  return /^\d{1,10}$/.test(name) && Number(name) < refusedPacketType ? Number(name) : 0;
}

/** The wire of nested packets, `sluice.packet.v1`. */
export class PacketWire implements Wire<PreparedMessage> {
  readonly face: Face<PreparedMessage> = packetFace;
  readonly #options: PacketWireOptions;

  constructor(options: PacketWireOptions) {
    this.#options = options;
  }

  get maxMessageBytes(): number {
    return this.#options.maxMessageBytes;
  }

  opener(client: Client): QueryOpener {
    return new QueryOpener(client, this.#options.identify);
  }

  converse(link: SocketLink<PreparedMessage>): PacketConversation {
    return new PacketConversation(link, this.#options);
  }
}

class PacketConversation implements Conversation<PreparedMessage> {
  readonly heldBytes = 0;
  readonly #link: SocketLink<PreparedMessage>;
  readonly #options: PacketWireOptions;

  constructor(link: SocketLink<PreparedMessage>, options: PacketWireOptions) {
    this.#link = link;
    this.#options = options;
  }

  opened(): void {}

  receive(attachment: Attachment, data: Buffer, isBinary: boolean): void {
    if (!isBinary) {
      this.#link.fail({
        code: unsupportedData,
        reason: "packets come in binary messages, and this is a text",
      });
      return;
    }
    const packets = decodePackets(data, this.#options.limits);
    if (isRefusal(packets)) {
      this.#link.fail(packets);
      return;
    }
    const refusal = this.#objectionTo(attachment, packets);
    if (refusal === undefined) this.#take(attachment, packets, 0);
    else this.#link.fail(refusal);
  }

  send(frame: PreparedMessage): boolean {
    return this.#link.write(frame);
  }

  dropped(): void {}

  closing(): void {}

  drained(): boolean {
    this.#link.resumeFor(Pause.ANSWERS);
    return true;
  }

  /** A reply is a packet of the type of what it answers; that it was taken alone is not said. */
  #answer({ session }: Attachment, type: number, answer: Answer): void {
    if (!answer.ok) this.#send(session, new RefusalMessage({ data: refusedPacket(answer).content }));
    else if (answer.reply !== undefined) this.#send(session, replyFrom(answer.reply, type));
  }

  /**
   * Answers are messages of the session, because the client counts all packets that it is given. One that does not read
   * them is not asked for more.
   */
  #send(session: Session, message: Message): void {
    if (!session.send(message)) this.#link.pauseFor(Pause.ANSWERS);
  }

  #objectionTo({ session }: Attachment, packets: readonly Packet[]): Refusal | undefined {
    try {
      const unknown = packets.find(({ type }) => !this.#knows(type));
      if (unknown === undefined) return undefined;
      return { code: CloseCode.MALFORMED, reason: `packets of type ${unknown.type} are not known here` };
    } catch (error) {
      this.#options.report(error, session);
      return closingFromError(error);
    }
  }

  #knows(type: number): boolean {
    const { types } = this.#options;
    if (type === refusedPacketType) return false;
    if (types === undefined) return true;
    return typeof types === "function" ? types(type) : types.has(type);
  }

  /** Takes packets in their order: one to another session holds up those behind it until it is on its way. */
  #take(attachment: Attachment, packets: readonly Packet[], from: number): void {
    for (let index = from; index < packets.length; index++) {
      const packet = packets[index]!;
      const { type, who } = packet;
      // Whoever keeps one packet must not keep the whole message for it.
      const content = packets.length === 1 ? packet.content : Buffer.from(packet.content);
      const said = { data: content, type: type === 0 ? "" : String(type) };
      if (attachment.session.isClosed) return;
      if (who === 0) {
        attachment.receive(content, {
          type: said.type,
          answer: (answer) => this.#answer(attachment, type, answer),
        });
      } else {
        this.#link.pauseFor(Pause.COMMANDS);
        attachment.say(who, said).then(
          () => this.#goOn(attachment, packets, index + 1),
          (error: unknown) => this.#failed(error, () => this.#goOn(attachment, packets, index + 1)),
        );
        return;
      }
    }
  }

  #goOn(attachment: Attachment, packets: readonly Packet[], from: number): void {
    this.#link.resumeFor(Pause.COMMANDS);
    this.#take(attachment, packets, from);
  }

  /** Whoever is gone is not the sender's fault, and may have gone since it was written. Who is kept from it, looks so too. */
  #failed(error: unknown, goOn: () => void): void {
    if (error instanceof HubError && error.code === "NOT_FOUND") goOn();
    else this.#link.fail(closingFromError(error));
  }
}
