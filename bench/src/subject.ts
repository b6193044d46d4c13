/** What is measured: a server that echoes, or holds connections and broadcasts to them. */
export interface Subject {
  /** Starts listening on a free port of 127.0.0.1 and resolves to that port. */
  listen(): Promise<number>;
  /** Sends each of the payloads, in order, as a binary message to every connection, all within this tick. */
  broadcast(payloads: readonly Buffer[]): void;
}

/**
 * The subjects by the name that the tables show. A `+` names what is added to the plain one. `deflate` is
 * permessage-deflate with threshold 0 and the library's other defaults; `deflate15` with the window of 32 KiB and the
 * memory level 8 that are the defaults of ws.
 */
export const subjectNames = [
  "net",
  "net+cork",
  "ws",
  "ws+bufferutil",
  "ws+deflate",
  "sluice",
  "sluice+prepared",
  "sluice+deflate",
  "sluice+deflate15",
  "sluice+deflate+prepared",
] as const;

/** One of {@link subjectNames}. */
export type SubjectName = (typeof subjectNames)[number];

/** Narrows a command-line argument. Throws a `RangeError` that lists the names. */
export function subjectNameFrom(text: string | undefined): SubjectName {
  const name = subjectNames.find((each) => each === text);
  if (name === undefined)
    throw new RangeError(`no subject ${String(text)}: one of ${subjectNames.join(", ")}`);
  return name;
}

/** False for bare sockets, which have no handshake and send back the very bytes that came. */
export function speaksWebSocket(name: SubjectName): boolean {
  return !name.startsWith("net");
}
