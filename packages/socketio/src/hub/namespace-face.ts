import type { Face, Message, Publication } from "@sluice/hub";
import type { BroadcastPacket } from "../adapter/adapter.ts";
import { EngineMessage } from "../engine/engine-message.ts";
import { Encoder } from "../parser/encoder.ts";
import { type Packet, PacketType } from "../parser/packet.ts";
import type { PacketEncoder } from "../server/custom-parser.ts";
import { argumentsOf, eventNameOf } from "./event-content.ts";
import { EventFrame } from "./event-frame.ts";

/** How all sockets of one namespace are sent what is said to their sessions and rooms. */
export class NamespaceFace implements Face<EventFrame> {
  readonly name = "socketio";
  readonly #namespace: string;
  readonly #encoder: PacketEncoder;
  readonly #nextOffset: (() => string) | undefined;

  /** `nextOffset` makes up a text that no other frame has; without one sockets are not recovered. */
  constructor(namespace: string, encoder: PacketEncoder, nextOffset: (() => string) | undefined) {
    this.#namespace = namespace;
    this.#encoder = encoder;
    this.#nextOffset = nextOffset;
  }

  message(message: Message): EventFrame {
    const offset = this.#nextOffset?.() ?? "";
    const event = (): unknown[] => [eventNameOf(message.type), ...argumentsOf(message)];
    // The JSON is there already.
    const messages =
      this.#encoder instanceof Encoder && typeof message.data === "string"
        ? [new EngineMessage(this.#textOf(message, message.data, offset))]
        : this.#encode(event(), offset, undefined);
    return new EventFrame(messages, offset, event);
  }

  publication({ message }: Publication): EventFrame {
    return this.message(message);
  }

  /** The frame of an event of the application. One that asks for an answer has no offset, which its client would not see. */
  event({ data, id }: BroadcastPacket): EventFrame {
    const offset = id === undefined ? (this.#nextOffset?.() ?? "") : "";
    return new EventFrame(this.#encode(data, offset, id), offset, () => data);
  }

  #encode(event: readonly unknown[], offset: string, id: number | undefined): EngineMessage[] {
    const data = offset === "" ? event : [...event, offset];
    const packet: Packet = { type: PacketType.EVENT, nsp: this.#namespace, data, id };
    return this.#encoder.encode(packet).map((each) => new EngineMessage(each));
  }

  /** As the encoder has it. */
  #textOf({ type, isJson, isList }: Message, data: string, offset: string): string {
    const namespace = this.#namespace === "/" ? "" : `${this.#namespace},`;
    const name = JSON.stringify(eventNameOf(type));
    const args = isList ? listed(data) : `,${isJson ? data : JSON.stringify(data)}`;
    return `${PacketType.EVENT}${namespace}[${name}${args}${offset === "" ? "" : `,"${offset}"`}]`;
  }
}

/** The members of a JSON array, each behind a comma; another JSON as one. */
function listed(json: string): string {
  const trimmed = json.trim();
  if (!trimmed.startsWith("[")) return `,${trimmed}`;
  const members = trimmed.slice(1, -1).trim();
  return members === "" ? "" : `,${members}`;
}
