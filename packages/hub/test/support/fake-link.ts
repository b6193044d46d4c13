import type {
  Attached,
  Attachment,
  AttachRequest,
  AttachResult,
  Drop,
  Face,
  Hub,
  Link,
  Loss,
  Message,
  Publication,
  Session,
} from "../../src/index.ts";

/** A face whose frames are readable: `text` for a message, `room#offset:text` for a publication. */
export class FakeFace implements Face<string> {
  readonly name: string;
  /** How many frames it has made. */
  encoded = 0;

  constructor(name = "fake") {
    this.name = name;
  }

  message({ data }: Message): string {
    this.encoded++;
    return textOf(data);
  }

  publication({ room, offset, message }: Publication): string {
    this.encoded++;
    return `${room}#${offset}:${textOf(message.data)}`;
  }
}

function textOf(data: string | Uint8Array): string {
  return typeof data === "string" ? data : `<${Buffer.from(data).toString("hex")}>`;
}

export const fakeFace = new FakeFace();

/** A client whose socket is a list, and takes as many frames before it is slow as the test says. */
export class FakeLink implements Link<string> {
  readonly face: FakeFace;
  /** Everything that the client was told, in order. */
  readonly log: string[] = [];
  /** The frames of `log`. */
  readonly frames: string[] = [];
  /** Frames that it takes before it answers false. */
  credit = Infinity;
  bufferedAmount = 0;
  attachment: Attachment | undefined;
  attached: Attached | undefined;
  closed: { readonly code: number; readonly reason: string } | undefined;
  pings = 0;
  isPaused = false;
  /** Called when the client is let in. */
  whenOpened: (attached: Attached) => void = () => undefined;

  constructor(face: FakeFace = fakeFace) {
    this.face = face;
  }

  get session(): Session {
    if (this.attachment === undefined) throw new Error("not attached");
    return this.attachment.session;
  }

  opening(attachment: Attachment): void {
    this.attachment = attachment;
  }

  opened(attached: Attached): void {
    this.attached = attached;
    this.log.push("opened");
    this.whenOpened(attached);
  }

  send(frame: string): boolean {
    this.log.push(frame);
    this.frames.push(frame);
    this.credit--;
    return this.credit > 0;
  }

  dropped({ reason, room, count }: Drop): void {
    this.log.push(`dropped ${reason} ${room} ${count}`);
  }

  ping(): void {
    this.pings++;
  }

  close(code: number, reason: string): void {
    this.closed ??= { code, reason };
    this.log.push(`close ${code}`);
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  /** The client reads: there is room for so many frames. */
  drain(credit = Infinity): void {
    this.credit = credit;
    this.attachment?.drained();
  }

  /** The socket is gone. */
  lose(loss: Partial<Loss> = {}): void {
    this.attachment?.lost({ code: 1006, reason: "", clean: false, ...loss });
  }
}

export const request: AttachRequest = { address: "127.0.0.1", path: "/ws", query: "", headers: {} };

/** A resume key that a number tells apart. */
export function keyOf(number: number): string {
  return `key-${String(number).padStart(20, "0")}`;
}

/** A client that connects. */
export async function connect(
  hub: Hub,
  wanted: Partial<AttachRequest> = {},
  link: FakeLink = new FakeLink(),
): Promise<FakeLink & { readonly result: AttachResult }> {
  const result = await hub.attach(link, { ...request, ...wanted });
  return Object.assign(link, { result });
}
