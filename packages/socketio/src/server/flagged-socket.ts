import type { BroadcastFlags } from "../adapter/adapter.ts";

/** What can be seen with flags. */
interface Flaggable {
  readonly _flags: BroadcastFlags;
}

/** A socket, but for the flags of what is emitted by it. */
class FlaggedSocket implements Flaggable {
  readonly _socket: object;
  readonly _flags: BroadcastFlags;

  constructor(socket: object, flags: BroadcastFlags) {
    this._socket = socket;
    this._flags = flags;
  }
}

/** A socket with flags beside those that it has. In all but what is emitted by it, it is the socket. */
export function withFlags<Emitter extends Flaggable>(emitter: Emitter, flags: BroadcastFlags): Emitter {
  const socket = emitter instanceof FlaggedSocket ? emitter._socket : emitter;
  becomeLike(socket);
  return new FlaggedSocket(socket, { ...emitter._flags, ...flags }) as unknown as Emitter;
}

let isAlike = false;

/**
 * Gives a flagged socket the members of a socket, once: all sockets have the same. What emits, which is the class below, is
 * its own by inheritance; everything else it asks of the socket.
 */
function becomeLike(socket: object): void {
  if (isAlike) return;
  isAlike = true;
  const { prototype } = FlaggedSocket;
  const like = Object.getPrototypeOf(socket) as object;
  const emitter = Object.getPrototypeOf(like) as object;
  Object.setPrototypeOf(prototype, like);
  for (let holder = socket; holder !== Object.prototype; holder = Object.getPrototypeOf(holder) as object) {
    if (holder === emitter) continue;
    for (const name of Reflect.ownKeys(holder)) {
      if (!Object.hasOwn(emitter, name) && !Object.hasOwn(prototype, name)) forward(prototype, name);
    }
  }
}

function forward(prototype: FlaggedSocket, name: PropertyKey): void {
  Object.defineProperty(prototype, name, {
    get(this: FlaggedSocket): unknown {
      const member: unknown = Reflect.get(this._socket, name);
      return typeof member === "function" ? (member.bind(this._socket) as unknown) : member;
    },
    set(this: FlaggedSocket, value: unknown): void {
      Reflect.set(this._socket, name, value);
    },
  });
}
