import type { CallListener, Metadata, Status } from "@sluice/protocol";

/** Everything that a call's listener was told. */
export class Recorder implements CallListener {
  readonly messages: string[] = [];
  readonly ends: Status[] = [];
  drains = 0;
  seen: Metadata | undefined;
  trailers: Metadata | undefined;

  headers(metadata: Metadata): void {
    this.seen = metadata;
  }
  message(message: Uint8Array): void {
    this.messages.push(new TextDecoder().decode(message));
  }
  drain(): void {
    this.drains++;
  }
  end(status: Status, trailers: Metadata): void {
    this.ends.push(status);
    this.trailers = trailers;
  }
}

/** Text as bytes. */
export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
