import type { IncomingMessage } from "node:http";
import type { SocketIoError } from "../error.ts";
import type { CloseReason } from "./close-reason.ts";
import type { MessageData, PacketName, Revision } from "./codec/packet.ts";
import type { EngineMessage } from "./engine-message.ts";
import type { TransportName } from "./engine-options.ts";
import type { Handshake } from "./handshake.ts";

/**
 * What an application does with its sessions. One object serves all sessions of an engine. Handlers are called in the
 * order in which things happened. One that throws ends its session, and the error is thrown on.
 */
export interface SessionHandlers {
  /** A session has begun. `request` is that of its handshake, which Node frees when nobody keeps it. */
  open?(session: EngineSession, request: IncomingMessage): void;
  /** A message came: a string for a text. Bytes are the handler's, but may be a view of somewhat more. */
  message?(session: EngineSession, data: string | Buffer): void;
  /** More may be sent, after a `send()` that answered false. */
  drain?(session: EngineSession): void;
  /** A message was not sent, as too much waits for the client: at `maxBufferedBytes`, where `slow` is `"drop"`. */
  drop?(session: EngineSession): void;
  /** The session has ended. Called exactly once, and nothing after it. */
  close?(session: EngineSession, reason: CloseReason, cause: Error | undefined): void;
}

/** A packet as the events `packet` and `packetCreate` tell of it. */
export interface PacketEvent {
  readonly type: PacketName;
  /** Empty where there is none. */
  readonly data: MessageData;
  /** Whether it may be compressed, where it is sent. */
  readonly options?: { readonly compress: boolean };
}

/** The events of a session. They cost something only where somebody listens. */
export interface SessionEvents {
  message: [data: string | Buffer];
  packet: [packet: PacketEvent];
  packetCreate: [packet: PacketEvent];
  heartbeat: [];
  upgrading: [transport: { readonly name: TransportName }];
  upgrade: [transport: { readonly name: TransportName }];
  drain: [];
  close: [reason: CloseReason, cause: Error | undefined];
}

/** `closing` while the last packets wait for a poll. */
export type ReadyState = "open" | "closing" | "closed";

/** One client's conversation by Engine.IO, over whatever transport it has at the time. */
export interface EngineSession {
  /** Its secret name. */
  readonly id: string;
  /** The revision of the protocol that the client speaks. */
  readonly protocol: Revision;
  /** What is kept of the request that began it. */
  readonly handshake: Handshake;
  /** The address of the connection below when it began, as in the handshake; a proxy's, where there is one. */
  readonly remoteAddress: string;
  /** That request itself, kept only where `use()` was called: a middleware may have put something on it. */
  readonly request: IncomingMessage | undefined;
  /** For the application's own use. */
  data: unknown;
  /** Where the session is. */
  readonly readyState: ReadyState;
  /** What it is on now. */
  readonly transport: { readonly name: TransportName };
  /** Whether it has moved from polling to a WebSocket. */
  readonly upgraded: boolean;
  /** Whether a message would leave at once: what is volatile is best dropped otherwise. */
  readonly writable: boolean;
  /** Whether `send()` has answered false, and `drain` is still to come. */
  readonly needsDrain: boolean;
  /** Bytes that wait for the client; of packets that wait for a poll, each counts 64 beside its data. */
  readonly bufferedBytes: number;

  /**
   * Sends a message: a string as text, bytes as binary; bytes are not copied. With `compress` false it is not the
   * reason for compression. Answers whether to go on: after false wait for `drain`. At `maxBufferedBytes` the session is
   * closed or the message dropped, as the option `slow` says. On a session that is not open it is dropped.
   */
  send(message: MessageData | EngineMessage, compress?: boolean): boolean;
  /** Sends messages that belong together, all or none. */
  sendAll(messages: readonly (MessageData | EngineMessage)[], compress?: boolean): boolean;
  /** Ends the session with `forced close`, behind all that was sent; with `discard` without it. */
  close(discard?: boolean): void;
  /** Ends the session with `forced close` because of what is wrong, which a client on a WebSocket is told. */
  fail(error: SocketIoError): void;

  /**
   * Stops reading, for a reason that is somebody's; what was read before may still come. Until all reasons are taken back, the
   * client is not taken for lost because it is silent.
   */
  pause(reason: object): void;
  /** Takes a reason back, and reads on where there is no other. */
  resume(reason: object): void;

  /** Calls a listener each time. */
  on<Name extends keyof SessionEvents>(name: Name, listener: (...args: SessionEvents[Name]) => void): this;
  /** Calls a listener the next time. */
  once<Name extends keyof SessionEvents>(name: Name, listener: (...args: SessionEvents[Name]) => void): this;
  /** Calls a listener no more. */
  off<Name extends keyof SessionEvents>(name: Name, listener: (...args: SessionEvents[Name]) => void): this;
  /** The same as `off()`. */
  removeListener<Name extends keyof SessionEvents>(
    name: Name,
    listener: (...args: SessionEvents[Name]) => void,
  ): this;
}
