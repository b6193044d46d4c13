import type { Clock } from "../../clock.ts";
import type { Face } from "../../face.ts";
import type { RateLimit } from "../../rate-limit.ts";
import type { Client } from "../client.ts";
import type { Identify } from "../timed-identity.ts";
import type { Wire } from "../websocket/conversation.ts";
import type { SocketLink } from "../websocket/socket-link.ts";
import { ConnectOpener } from "./connect-opener.ts";
import { SessionConversation } from "./session-conversation.ts";
import { SessionFrame } from "./session-frame.ts";

/** The subprotocol of the session wire. */
export const sessionProtocol = "sluice.session.v1";

/** How the session wire is spoken. */
export interface SessionWireOptions {
  /** Bytes of one incoming message. */
  readonly maxMessageBytes: number;
  /** Commands of a client that wait for their answers; while it is that many, nothing is read. */
  readonly pendingCommands: number;
  /** A limit of what a client says beside commands that the hub counts. */
  readonly rate: RateLimit;
  /** Bytes of the publications in one answer to `history`. */
  readonly historyBytes: number;
  /** Seconds between pings; 0 for none. */
  readonly pingSeconds: number;
  readonly identify: Identify | undefined;
  readonly clock: Clock;
  /** Is told of what went wrong in the server. */
  readonly failed: (error: unknown) => void;
}

/** The face `session`: JSON texts that say what they are. */
export const sessionFace: Face<SessionFrame> = {
  name: "session",
  message: (message) => SessionFrame.fromMessage(message),
  publication: (publication) => SessionFrame.fromPublication(publication),
};

/** The session wire, `sluice.session.v1`: commands with answers, rooms, positions, and everything else a session has. */
export class SessionWire implements Wire<SessionFrame> {
  readonly face: Face<SessionFrame> = sessionFace;
  readonly #options: SessionWireOptions;

  constructor(options: SessionWireOptions) {
    this.#options = options;
  }

  get maxMessageBytes(): number {
    return this.#options.maxMessageBytes;
  }

  opener(client: Client): ConnectOpener {
    return new ConnectOpener(client, this.#options.identify);
  }

  converse(link: SocketLink<SessionFrame>): SessionConversation {
    return new SessionConversation(link, this.#options);
  }
}
