import { timestampMs } from "@bufbuild/protobuf/wkt";
import { CloseCode, Expiry, type Clock, type Session } from "@sluice/hub";
import type { SetIdentity } from "../generated/sluice/session/v1/session_pb.ts";

/** Closes sessions with 4401 when what the backend has said of who their clients are is over. */
export class IdentityExpiry {
  readonly #clock: Clock;
  readonly #bySession = new Map<Session, Expiry>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The backend has said who the client of a session is, and until when, in the place of what it said before; `ended` follows. */
  set(session: Session, { expiresAt }: Pick<SetIdentity, "expiresAt">): void {
    const known = this.#bySession.get(session);
    if (known === undefined && expiresAt === undefined) return;
    const expiry =
      known ??
      new Expiry(this.#clock, () => session.close(CloseCode.UNAUTHENTICATED, "the identity has expired"));
    this.#bySession.set(session, expiry);
    expiry.set(expiresAt === undefined ? undefined : timestampMs(expiresAt));
  }

  /** A session is over. */
  ended(session: Session): void {
    this.#bySession.get(session)?.set(undefined);
    this.#bySession.delete(session);
  }
}
