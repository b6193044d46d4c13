import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { RequestQuery } from "../http/request-query.ts";

/** A request of a session by polling: a GET that waits for packets, or a POST that brings some. */
export interface PollingExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: RequestQuery;
  /** Fields of the answer to a handshake. */
  readonly headers?: OutgoingHttpHeaders | undefined;
}

/** Adds what listeners want to the fields of an answer. */
export type AddHeaders = (headers: OutgoingHttpHeaders, request: IncomingMessage) => void;
