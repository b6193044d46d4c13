// The parts of sluice/session/v1/session.proto that this chat uses, as @grpc/proto-loader shows them.

/** A session as it is at the moment of a call. */
export interface Session {
  readonly id: string;
  readonly query: Readonly<Record<string, string>>;
  readonly state: Readonly<Record<string, string>>;
}

/** What is said: here always a text. */
export interface Payload {
  readonly text?: string;
}

/** One thing that the gateway does for the backend. */
export type Effect =
  | { readonly send: { readonly payload: Payload } }
  | { readonly publish: { readonly room: string; readonly payload: Payload } }
  | { readonly join: { readonly room: string } }
  | { readonly setState: { readonly set: Readonly<Record<string, string>> } };

export interface ConnectRequest {
  readonly session: Session;
}

export interface ConnectResponse {
  readonly deny?: { readonly code: number; readonly reason: string };
  readonly effects?: readonly Effect[];
}

export interface MessageRequest {
  readonly session: Session;
  readonly payload: Payload;
}

export interface MessageResponse {
  readonly effects: readonly Effect[];
}

export interface DisconnectRequest {
  readonly session: Session;
}

export interface DisconnectResponse {
  readonly effects: readonly Effect[];
}
