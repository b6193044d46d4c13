import { EventEmitter } from "node:events";
import type { SessionEvents } from "./session.ts";

type SessionEvent = keyof SessionEvents;
type Listener<Name extends SessionEvent> = (...args: SessionEvents[Name]) => void;

/** Who listens to the events of one session. Most sessions have nobody, and then no emitter. */
export class SessionListeners {
  /** Undefined until somebody listens. */
  protected events: EventEmitter<SessionEvents> | undefined = undefined;

  /** See `EngineSession.on`. */
  on<Name extends SessionEvent>(name: Name, listener: Listener<Name>): this {
    (this.events ??= new EventEmitter()).on(name, listener as never);
    return this;
  }

  /** See `EngineSession.once`. */
  once<Name extends SessionEvent>(name: Name, listener: Listener<Name>): this {
    (this.events ??= new EventEmitter()).once(name, listener as never);
    return this;
  }

  /** See `EngineSession.off`. */
  off<Name extends SessionEvent>(name: Name, listener: Listener<Name>): this {
    this.events?.off(name, listener as never);
    return this;
  }

  /** See `EngineSession.removeListener`. */
  removeListener<Name extends SessionEvent>(name: Name, listener: Listener<Name>): this {
    return this.off(name, listener);
  }
}
