import type {
  Answer,
  Attached,
  Attachment,
  AttachRequest,
  Face,
  Hub,
  Link,
  Message,
  Publication,
  Session,
} from "@sluice/hub";

const face: Face<string> = {
  name: "fake",
  message: ({ data, type }) => `${type === "" ? "" : `${type}:`}${textOf(data)}`,
  publication: ({ room, message }: Publication) => `${room}> ${textOf(message.data)}`,
};

function textOf(data: Message["data"]): string {
  return typeof data === "string" ? data : `0x${Buffer.from(data).toString("hex")}`;
}

/** A client of a hub without a socket: all that it was told, and what it says. */
export class FakeClient implements Link<string> {
  readonly face: Face<string> = face;
  readonly bufferedAmount = 0;
  readonly frames: string[] = [];
  isPaused = false;
  /** How its link was closed by the hub, or how it was refused. */
  closed: { readonly code: number; readonly reason: string } | undefined;
  #attachment: Attachment | undefined;

  /** Connects; resolves when it is decided whether it is let in. */
  async connect(hub: Hub, request: Partial<AttachRequest> = {}): Promise<this> {
    const result = await hub.attach(this, {
      address: "192.0.2.1",
      path: "/ws",
      query: "",
      headers: {},
      ...request,
    });
    if (!("attachment" in result)) this.closed = result;
    return this;
  }

  get session(): Session {
    if (this.#attachment === undefined) throw new Error("the hub has not looked at the client");
    return this.#attachment.session;
  }

  /** Says something, and resolves with what came of it. */
  say(
    data: string | Uint8Array,
    init: { readonly type?: string; readonly isJson?: boolean } = {},
  ): Promise<Answer> {
    return new Promise((resolve) => this.#attachment?.receive(data, { ...init, answer: resolve }));
  }

  /** Its link breaks, or is closed by it. */
  leave(code = 1006, clean = false): void {
    this.#attachment?.lost({ code, reason: "", clean });
  }

  opening(attachment: Attachment): void {
    this.#attachment = attachment;
  }

  opened(_attached: Attached): void {}

  send(frame: string): boolean {
    this.frames.push(frame);
    return true;
  }

  dropped(): void {}

  ping(): void {}

  close(code: number, reason: string): void {
    this.closed = { code, reason };
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }
}
