/** What was refused since the server began. */
export interface RefusedCounts {
  /** Handshakes over `limits.connections`. */
  connections: number;
  /** Handshakes over `limits.connectionsPerAddress`. */
  connectionsPerAddress: number;
  /** CONNECTs over `limits.namespacesPerConnection`. */
  namespacesPerConnection: number;
  /** CONNECTs to namespaces that there are not. */
  unknownNamespace: number;
  /** CONNECTs that a middleware or the hub refused. */
  unauthorized: number;
}

/** Events that reached nobody since the server began. */
export interface DroppedCounts {
  /** Volatile ones whose client could not take them at once. */
  volatile: number;
  /** From clients, over the bounds on events that came before a listener. */
  early: number;
  /** For clients that read too slowly, where `slow` is `"drop"`, or a room of the hub drops what waits for them. */
  slow: number;
}

/** Connections that the server ended since it began, by what was wrong. */
export interface EndedCounts {
  /** Packets that cannot be read, or that break a rule. */
  invalid: number;
  /** Over `limits.eventsPerSecond`. */
  rate: number;
  /** Over `maxBufferedBytes`. */
  slow: number;
  /** No namespace was joined within `connectTimeout`. */
  idle: number;
  /** `socket.expiresAt` passed. */
  expired: number;
  /** A socket was to join more than `limits.roomsPerSocket`. */
  rooms: number;
}

/** What happens on a server, as numbers to be exported as metrics. Only `connections` and `sockets` go down. */
export interface ServerCounts {
  /** Connections that there are. */
  connections: number;
  /** Sockets that there are, in all namespaces. */
  sockets: number;
  /** Events that came. */
  eventsIn: number;
  /** Acknowledgements that the server asked for and did not get in time. */
  acksTimedOut: number;
  /** Sockets whose state was recovered. */
  recovered: number;
  readonly refused: RefusedCounts;
  readonly dropped: DroppedCounts;
  readonly ended: EndedCounts;
}

/** Counts of a server that begins. */
export function createServerCounts(): ServerCounts {
  return {
    connections: 0,
    sockets: 0,
    eventsIn: 0,
    acksTimedOut: 0,
    recovered: 0,
    refused: {
      connections: 0,
      connectionsPerAddress: 0,
      namespacesPerConnection: 0,
      unknownNamespace: 0,
      unauthorized: 0,
    },
    dropped: { volatile: 0, early: 0, slow: 0 },
    ended: { invalid: 0, rate: 0, slow: 0, idle: 0, expired: 0, rooms: 0 },
  };
}
