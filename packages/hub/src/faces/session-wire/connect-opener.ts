import type { Refusal } from "../../attachment.ts";
import { CloseCode } from "../../close-code.ts";
import type { Client } from "../client.ts";
import { unidentified, unsupportedData } from "../closing.ts";
import { isRefusal } from "../refusal.ts";
import type { Identify, TimedIdentity } from "../timed-identity.ts";
import type { Opener, Opening } from "../websocket/conversation.ts";
import type { ConnectMessage } from "./client-message.ts";
import { parseClientMessage } from "./parse-client-message.ts";

/** What a client of the session wire asks for: by its first message, `connect`. */
export class ConnectOpener implements Opener {
  readonly awaitsFirst = true;
  readonly #client: Client;
  readonly #identify: Identify | undefined;

  constructor(client: Client, identify: Identify | undefined) {
    this.#client = client;
    this.#identify = identify;
  }

  opening(): Refusal {
    return { code: CloseCode.MALFORMED, reason: "the first message must be connect" };
  }

  first(data: Buffer, isBinary: boolean): Promise<Opening | Refusal> | Opening | Refusal {
    if (isBinary)
      return { code: unsupportedData, reason: "a message must be JSON in a text, and this is binary" };
    const parsed = parseClientMessage(data.toString());
    if (isRefusal(parsed)) return parsed;
    if (parsed.verb !== "connect") return this.opening();
    if (parsed.token !== undefined) return this.#identified(parsed, parsed.token);
    if (this.#client.awaitsToken === true) {
      return { code: CloseCode.UNAUTHENTICATED, reason: "connect must have a token" };
    }
    return openingFrom(parsed, this.#client.identity);
  }

  async #identified(message: ConnectMessage, token: string): Promise<Opening | Refusal> {
    if (this.#identify === undefined) {
      return { code: CloseCode.UNAUTHENTICATED, reason: "no tokens are taken in connect here" };
    }
    try {
      return openingFrom(message, await this.#identify(token));
    } catch (error) {
      return unidentified(error);
    }
  }
}

function openingFrom({ resume, rooms }: ConnectMessage, identity: TimedIdentity | undefined): Opening {
  return {
    ...(identity === undefined ? {} : { identity }),
    ...(resume === undefined ? {} : { resume }),
    rooms,
  };
}
