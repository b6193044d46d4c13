import type { Refusal } from "../../attachment.ts";
import { CloseCode } from "../../close-code.ts";
import type { Client } from "../client.ts";
import { unidentified } from "../closing.ts";
import { isRefusal } from "../refusal.ts";
import { resumeFromQuery } from "../resume-query.ts";
import type { Identify, TimedIdentity } from "../timed-identity.ts";
import type { Opener, Opening } from "./conversation.ts";

/** What a client asks for on a wire that has no words for it: by its query, and by a token as its first message. */
export class QueryOpener implements Opener {
  readonly awaitsFirst: boolean;
  readonly #client: Client;
  readonly #identify: Identify | undefined;

  constructor(client: Client, identify: Identify | undefined) {
    this.awaitsFirst = client.awaitsToken ?? false;
    this.#client = client;
    this.#identify = identify;
  }

  opening(identity: TimedIdentity | undefined = this.#client.identity): Opening | Refusal {
    const resume = resumeFromQuery(this.#client.query);
    if (resume !== undefined && isRefusal(resume)) return resume;
    return {
      ...(identity === undefined ? {} : { identity }),
      ...(resume === undefined ? {} : { resume }),
    };
  }

  async first(data: Buffer, isBinary: boolean): Promise<Opening | Refusal> {
    if (isBinary || this.#identify === undefined) {
      return { code: CloseCode.UNAUTHENTICATED, reason: "the first message must be a token, as a text" };
    }
    try {
      return this.opening(await this.#identify(data.toString().trim()));
    } catch (error) {
      return unidentified(error);
    }
  }
}
