import { EmptySchema } from "@bufbuild/protobuf/wkt";
import type {
  Backend,
  Call,
  CallListener,
  CallStart,
  Metadata,
  Method,
  MethodKind,
  Status,
} from "@sluice/rpc";

/** A method of the testkit's Echo service; a backend does not look at its types. */
export function method(name: string, kind: MethodKind): Method {
  const service = "sluice.test.v1.Echo";
  return {
    path: `/${service}/${name}`,
    service,
    name,
    kind,
    input: EmptySchema,
    output: EmptySchema,
    rules: [],
  };
}

export const say: Method = method("Say", "unary");
export const repeat: Method = method("Repeat", "server_streaming");
export const collect: Method = method("Collect", "client_streaming");
export const converse: Method = method("Converse", "bidi_streaming");
export const sleep: Method = method("Sleep", "unary");

type Field = readonly [number: number, value: string | number | Uint8Array];

/** A protobuf message with fields of the types string, int32 and message. */
export function message(...fields: readonly Field[]): Uint8Array {
  const parts = fields.map(([number, value]) => {
    if (typeof value === "number") return Buffer.from([number << 3, ...varint(value)]);
    const bytes = Buffer.from(value);
    return Buffer.concat([Buffer.from([(number << 3) | 2, ...varint(bytes.length)]), bytes]);
  });
  return Buffer.concat(parts);
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)];
}

/** The string in field 1 of a short message. */
export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(2, 2 + (bytes[1] ?? 0))).toString();
}

/** What a call told its listener; `changed` resolves at its next event. */
export class Recording implements CallListener {
  readonly messages: Uint8Array[] = [];
  readonly events: string[] = [];
  received: Metadata | undefined;
  status: Status | undefined;
  trailers: Metadata | undefined;
  /** Replaced by tests that react. */
  onMessage: (bytes: Uint8Array) => void = () => {};
  readonly #waiting = new Set<() => void>();

  headers(metadata: Metadata): void {
    this.received = metadata;
    this.#told("headers");
  }

  message(bytes: Uint8Array): void {
    this.messages.push(bytes);
    this.onMessage(bytes);
    this.#told("message");
  }

  drain(): void {
    this.#told("drain");
  }

  end(status: Status, trailers: Metadata): void {
    this.status = status;
    this.trailers = trailers;
    this.#told("end");
  }

  get texts(): string[] {
    return this.messages.map(textOf);
  }

  /** Resolves when `condition` holds. */
  until(condition: (recording: this) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (!condition(this)) return;
        this.#waiting.delete(check);
        resolve();
      };
      this.#waiting.add(check);
      check();
    });
  }

  /** Resolves with the status. */
  async ended(): Promise<Status> {
    await this.until(({ status }) => status !== undefined);
    return this.status as Status;
  }

  #told(event: string): void {
    this.events.push(event);
    for (const check of this.#waiting) check();
  }
}

export interface Opened {
  readonly call: Call;
  readonly heard: Recording;
}

/** Resolves when a condition that has no event holds; asked at each turn of the event loop, for 5 s. */
export async function eventually(condition: () => boolean): Promise<void> {
  const end = performance.now() + 5_000;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`this did not come true: ${condition.toString()}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Opens a call. */
export function open(backend: Backend, on: Method, start: Partial<CallStart> = {}): Opened {
  const heard = new Recording();
  return { call: backend.open({ method: on, metadata: {}, ...start }, heard), heard };
}

/** Makes a call with all its requests at once and waits for its end. */
export async function run(
  backend: Backend,
  on: Method,
  requests: readonly Uint8Array[],
  start: Partial<CallStart> = {},
): Promise<Recording> {
  const { call, heard } = open(backend, on, start);
  for (const request of requests) call.send(request);
  call.halfClose();
  await heard.ended();
  return heard;
}
