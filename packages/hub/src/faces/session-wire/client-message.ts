import type { Refusal } from "../../attachment.ts";

/** Where a client stands in a room, as it says so. */
export interface ClientPosition {
  readonly epoch: string;
  readonly offset: number;
}

/** What a client says, taken out of its JSON: a text, a text that is JSON, or bytes. */
export interface ClientData {
  readonly data: string | Uint8Array;
  readonly isJson: boolean;
}

/** The first message of a client: who it is, and where it was. */
export interface ConnectMessage {
  readonly verb: "connect";
  readonly token?: string;
  readonly resume?: { readonly key: string; readonly received: number };
  readonly rooms: readonly { readonly room: string; readonly since?: ClientPosition }[];
}

/** Tells how many deliveries have arrived, so that they need not be kept for a resume. */
export interface ReceivedMessage {
  readonly verb: "received";
  readonly received: number;
}

/** What is answered where the client gave it an `id`. */
export type Command = { readonly id?: number } & (
  | { readonly verb: "send"; readonly said: ClientData; readonly type: string }
  | { readonly verb: "join"; readonly room: string; readonly since?: ClientPosition }
  | { readonly verb: "leave"; readonly room: string }
  | {
      readonly verb: "publish";
      readonly room: string;
      readonly said: ClientData;
      readonly type: string;
      readonly key?: string;
    }
  | { readonly verb: "presence"; readonly room: string }
  | {
      readonly verb: "history";
      readonly room: string;
      readonly since?: ClientPosition;
      readonly limit?: number;
      readonly reverse: boolean;
    }
  | { readonly verb: "refresh"; readonly token: string }
);

/** A command that is told what is wrong with it, and nothing else happens. */
export interface InvalidCommand {
  readonly verb: "invalid";
  readonly id?: number;
  readonly problem: string;
}

/** Everything that a client may say on the session wire. */
export type ClientMessage = ConnectMessage | ReceivedMessage | Command | InvalidCommand;

/** What a text of a client turned out to be. */
export type Parsed = ClientMessage | Refusal;
