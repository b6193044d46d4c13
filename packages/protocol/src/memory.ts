/** What all calls of a connection use together. */
export interface Memory {
  /** Bytes that are left for messages that come in part. */
  forAssembly: number;
  /** Bytes of messages that wait to leave. */
  waiting: number;
}
