import type { Body } from "./member.ts";
import { SocketMember } from "./socket-member.ts";

/** The server has not what was missed; see the table of close codes. */
const gone = 4410;

/** A member with raw messages, in one room, into which the backend puts it. */
export class RawMember extends SocketMember {
  protected override open(): void {
    const [room = ""] = this.rooms;
    // A session without a delivery may be another one next time; nothing says so.
    if (this.received === 0) this.begin(room);
    this.connect(`name=${this.name}&room=${room}&resume=${this.key}&received=${this.received}`);
  }

  protected override connected(): void {
    this.entered();
  }

  protected override told(text: string): void {
    this.received++;
    // Which of its messages was refused is not said.
    if (!text.startsWith('{"error":')) this.take(text);
  }

  protected override disconnected(code: number): void {
    if (code === gone) this.received = 0;
  }

  protected override send(body: Body): void {
    this.write(JSON.stringify(body));
  }
}
