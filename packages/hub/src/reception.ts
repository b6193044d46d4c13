import type { Attached, AttachRequest, AttachResult, Refusal, ResumeRequest } from "./attachment.ts";
import { CloseCode, validateClose } from "./close-code.ts";
import type { Core } from "./core.ts";
import type { Link } from "./face.ts";
import type { Admit, Admission } from "./hub-options.ts";
import { LiveAttachment } from "./live-attachment.ts";
import { LiveSession } from "./live-session.ts";

type Settle = (result: AttachResult) => void;

const RESUME_KEY = /^[A-Za-z0-9_-]{22,128}$/;

/** Nothing but what is printed: `\p{C}` are controls, halves of surrogate pairs and what is no character. */
const SESSION_ID = /^[^\s\p{C}]{16,128}$/u;

/** Lets clients in: to a session that waits for them, or to a new one. */
export class Reception {
  readonly #core: Core;
  #isClosed = false;

  constructor(core: Core) {
    this.#core = core;
  }

  /** Whether nobody is let in any more. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Lets nobody in any more. */
  close(): void {
    this.#isClosed = true;
  }

  /** See `Hub.attach`. */
  attach(link: Link, request: AttachRequest): Promise<AttachResult> {
    return new Promise((resolve) => {
      const refusal = this.#receive(link, request, resolve);
      if (refusal === undefined) return;
      this.#core.tally.refused(refusal.code);
      resolve(refusal);
    });
  }

  #receive(link: Link, request: AttachRequest, settle: Settle): Refusal | undefined {
    const refusal = this.#validate(request);
    if (refusal !== undefined) return refusal;
    const { resume } = request;
    const resumeKey = this.#resumeKeyOf(request);
    const known = resumeKey === "" ? undefined : this.#core.sessions.byResumeKey(resumeKey);
    const received = resume === undefined ? undefined : known?.resumable(resume);
    if (known !== undefined && received !== undefined) {
      this.#goOn(known, link, request, received, settle);
      return undefined;
    }
    const hadSome = resume !== undefined && (resume.received > 0 || resume.isLast !== undefined);
    const isLost = hadSome || (known !== undefined && known.phase !== "opening");
    known?.end(
      known.phase === "opening"
        ? { code: CloseCode.REPLACED, reason: "another connection took the session over", clean: true }
        : { code: CloseCode.GONE, reason: "not recovered", clean: true },
    );
    if (isLost) this.#core.tally.notRecovered++;
    if (hadSome && resume.mustRecover === true) {
      return { code: CloseCode.GONE, reason: "the session is gone, or what was missed of it" };
    }
    const overLimits = this.#refuseOverLimits(request);
    // The one that has ended may have had a handler that closed the hub.
    const refused = overLimits ?? this.#refuseTaken(request) ?? this.#refuseClosed();
    return refused ?? this.#begin(link, request, resumeKey, !isLost, settle);
  }

  #validate({ id, resume, rooms }: AttachRequest): Refusal | undefined {
    if (this.#isClosed) return this.#refuseClosed();
    if (id !== undefined && !SESSION_ID.test(id)) {
      const reason = "a session's id has 16 to 128 characters that are printed, and none of them is a space";
      return { code: CloseCode.MALFORMED, reason };
    }
    if (resume !== undefined && !isResumeRequest(resume)) {
      return {
        code: CloseCode.MALFORMED,
        reason: "a resume key has 22 to 128 characters of A-Z a-z 0-9 _ -, received is a whole number",
      };
    }
    const { roomsPerSession } = this.#core.limits;
    if (rooms !== undefined && rooms.length > roomsPerSession) {
      return { code: CloseCode.MALFORMED, reason: `at most ${roomsPerSession} rooms` };
    }
    return undefined;
  }

  #refuseClosed(): Refusal | undefined {
    return this.#isClosed ? { code: CloseCode.GOING_AWAY, reason: "the server goes away" } : undefined;
  }

  #refuseTaken({ id }: AttachRequest): Refusal | undefined {
    return id !== undefined && this.#core.sessions.byId(id) !== undefined ? taken : undefined;
  }

  /** Refuses who could not be given a place even if all that are away gave theirs; none does before it is let in. */
  #refuseOverLimits({ identity }: AttachRequest): Refusal | undefined {
    const { sessions, limits, away } = this.#core;
    if (sessions.size - away.size >= limits.sessions) return tooMany;
    const ofUser = sessions.byUser(identity?.user ?? "");
    if (ofUser.size < limits.sessionsPerUser) return undefined;
    return count(ofUser, ({ phase }) => phase !== "away") >= limits.sessionsPerUser
      ? tooManyOfUser
      : undefined;
  }

  /** Makes a place for a session that is let in: those that are away give theirs, where there is no other. */
  #makePlace({ user }: LiveSession): Refusal | undefined {
    const { sessions, limits, away, tally } = this.#core;
    const ofUser = sessions.byUser(user);
    if (ofUser.size > limits.sessionsPerUser) {
      const isFull = count(ofUser, ({ phase }) => phase !== "opening") >= limits.sessionsPerUser;
      if (isFull && !giveWay([...ofUser].find(({ phase }) => phase === "away"))) return tooManyOfUser;
    }
    return tally.open < limits.sessions || giveWay(away.first) ? undefined : tooMany;
  }

  /** Only the user who began a session can go on with it: the same key of another user is another key. */
  #resumeKeyOf({ resume, identity }: AttachRequest): string {
    if (resume === undefined || this.#core.graceMs === 0) return "";
    return `${resume.key} ${identity?.user ?? ""}`;
  }

  #goOn(session: LiveSession, link: Link, request: AttachRequest, received: number, settle: Settle): void {
    const { tally, events } = this.#core;
    const { identity, rooms = [] } = request;
    const attachment = new LiveAttachment(this.#core, session, link, settle);
    const missedMs = session.takeOver(attachment, received, identity);
    tally.resumed++;
    link.opening(attachment);
    const recovered = !session.sender.hasGaps;
    events.emit("resume", session, session, { recovered, missedMs });
    if (rooms.length > 0) void this.#join(attachment, rooms, { resumed: true, recovered });
    else {
      attachment.greet({ resumed: true, recovered, rooms: [] });
      attachment.open();
    }
  }

  #begin(
    link: Link,
    request: AttachRequest,
    resumeKey: string,
    recovered: boolean,
    settle: Settle,
  ): undefined {
    const { admit, sessions, opening } = this.#core;
    const session = new LiveSession(this.#core, link, request, resumeKey, settle);
    const { attachment } = session;
    if (attachment === undefined) return;
    sessions.add(session);
    link.opening(attachment);
    if (admit === undefined) this.#letIn(session, attachment, request, recovered);
    else {
      opening.add(session);
      void this.#ask(admit, session).then((admission) =>
        this.#decide(session, attachment, request, recovered, admission),
      );
    }
  }

  async #ask(admit: Admit, session: LiveSession): Promise<Admission> {
    try {
      const admission = await admit(session);
      if (admission !== undefined && "code" in admission) validateClose(admission.code, admission.reason);
      return admission;
    } catch (error) {
      this.#core.events.error(session, error);
      return { code: CloseCode.INTERNAL, reason: "it could not be decided whether to let this client in" };
    }
  }

  #decide(
    session: LiveSession,
    attachment: LiveAttachment,
    request: AttachRequest,
    recovered: boolean,
    admission: Admission,
  ): void {
    if (admission !== undefined && "code" in admission) {
      session.end({ ...admission, clean: true });
      return;
    }
    if (admission !== undefined) session.identify(admission.identity);
    this.#letIn(session, attachment, request, recovered);
  }

  /** From here on, the application is told of the session's end, also if it has ended while it was decided. */
  #letIn(session: LiveSession, attachment: LiveAttachment, request: AttachRequest, recovered: boolean): void {
    const { tally, events } = this.#core;
    const { rooms = [] } = request;
    const refusal = session.isClosed ? undefined : this.#makePlace(session);
    // A session that the application closes in `onConnect` can still say why.
    if (rooms.length === 0 && refusal === undefined)
      attachment.greet({ resumed: false, recovered, rooms: [] });
    const { disconnection } = session;
    session.connect();
    tally.connected++;
    events.emit("connect", session, session);
    if (disconnection !== undefined) {
      tally.closed(disconnection.code);
      events.emit("disconnect", session, session, disconnection);
    } else if (refusal !== undefined) {
      session.end({ ...refusal, clean: true });
    } else if (rooms.length === 0) attachment.open();
    else void this.#join(attachment, rooms, { resumed: false, recovered });
  }

  async #join(
    attachment: LiveAttachment,
    rooms: NonNullable<AttachRequest["rooms"]>,
    result: Omit<Attached, "attachment" | "rooms">,
  ): Promise<void> {
    const { opening } = this.#core;
    // One that `admit` was asked about waits already, since it was attached.
    if (!opening.has(attachment.session)) opening.add(attachment.session);
    const joined = await attachment.joinAll(rooms);
    attachment.greet({ ...result, rooms: joined });
    attachment.open();
  }
}

const taken: Refusal = { code: CloseCode.TRY_AGAIN_LATER, reason: "another session has this id" };
const tooMany: Refusal = { code: CloseCode.TRY_AGAIN_LATER, reason: "there are too many sessions" };
const tooManyOfUser: Refusal = { code: CloseCode.TOO_MANY, reason: "this user has too many sessions" };

/** Ends a session without a link so that another one can begin. Answers false if there is none. */
function giveWay(session: LiveSession | undefined): boolean {
  session?.end({ code: CloseCode.TRY_AGAIN_LATER, reason: "its place was needed", clean: true });
  return session !== undefined;
}

function count(sessions: ReadonlySet<LiveSession>, isCounted: (session: LiveSession) => boolean): number {
  let counted = 0;
  for (const session of sessions) if (isCounted(session)) counted++;
  return counted;
}

function isResumeRequest({ key, received }: ResumeRequest): boolean {
  return RESUME_KEY.test(key) && Number.isSafeInteger(received) && received >= 0;
}
