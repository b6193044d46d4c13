/**
 * Why a session ended, in the words that users of Socket.IO know:
 * - `transport close`: the client closed it, or its connection was lost
 * - `transport error`: the connection failed, or a limit or a rule of the wire was broken
 * - `parse error`: a packet that cannot be read
 * - `ping timeout`: the client was not heard of in time
 * - `forced close`: this side closed it
 */
export type CloseReason =
  | "transport close"
  | "transport error"
  | "parse error"
  | "ping timeout"
  | "forced close";
