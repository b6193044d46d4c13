import { PreparedMessage } from "@sluice/websocket";
import type { Answer } from "../../answer.ts";
import type { Attachment } from "../../attachment.ts";
import type { Face } from "../../face.ts";
import { Message } from "../../message.ts";
import type { Client } from "../client.ts";
import type { Identify } from "../timed-identity.ts";
import type { Conversation, Wire } from "./conversation.ts";
import { QueryOpener } from "./query-opener.ts";
import type { SocketLink } from "./socket-link.ts";

/** The face `websocket`: what is said, as text or binary, and nothing around it. */
export const rawFace: Face<PreparedMessage> = {
  name: "websocket",
  message: ({ data }) => new PreparedMessage(data),
  publication: ({ message: { data } }) => new PreparedMessage(data),
};

/**
 * The raw wire. It has no words of its own, so its client is told nothing but messages and a close code: a reply to a
 * message is a message, and so is that one was refused.
 */
export class RawWire implements Wire<PreparedMessage> {
  readonly face: Face<PreparedMessage> = rawFace;
  readonly maxMessageBytes: number;
  readonly #identify: Identify | undefined;

  constructor(maxMessageBytes: number, identify: Identify | undefined) {
    this.maxMessageBytes = maxMessageBytes;
    this.#identify = identify;
  }

  opener(client: Client): QueryOpener {
    return new QueryOpener(client, this.#identify);
  }

  converse(link: SocketLink<PreparedMessage>): RawConversation {
    return new RawConversation(link);
  }
}

class RawConversation implements Conversation<PreparedMessage> {
  readonly heldBytes = 0;
  readonly #link: SocketLink<PreparedMessage>;

  constructor(link: SocketLink<PreparedMessage>) {
    this.#link = link;
  }

  opened(): void {}

  receive(attachment: Attachment, data: Buffer, isBinary: boolean): void {
    const { session } = attachment;
    // As messages of the session, because the client counts what it is given.
    attachment.receive(isBinary ? data : data.toString(), {
      answer: (answer) => {
        if (!answer.ok) session.send(refusalFrom(answer));
        else if (answer.reply !== undefined) session.send(answer.reply);
      },
    });
  }

  send(frame: PreparedMessage): boolean {
    return this.#link.write(frame);
  }

  dropped(): void {}

  closing(): void {}

  drained(): boolean {
    return true;
  }
}

function refusalFrom({ code, message }: Extract<Answer, { ok: false }>): Message {
  return new Message({ data: JSON.stringify({ error: { code, message } }), isJson: true });
}
