/** Bytes of a message, about what a line of a chat or a price takes. */
export const messageBytes = 100;

const sequenceDigits = 8;
const timeDigits = 16;
const marker = Buffer.from('{"seq":"');

/** A published message: JSON of {@link messageBytes} bytes. Its fields have a fixed width, so that receivers find them fast. */
export interface FanoutMessage {
  readonly seq: string;
  /** Time of the machine's monotonic clock in µs. */
  readonly at: string;
  readonly text: string;
}

/** Time of the machine's monotonic clock in µs; the same in all processes. */
export function machineTime(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e6 + nanoseconds / 1e3;
}

/** Message number `sequence`, published now. */
export function createFanoutMessage(sequence: number): FanoutMessage {
  const message = {
    seq: String(sequence).padStart(sequenceDigits, "0"),
    at: String(Math.floor(machineTime())).padStart(timeDigits, "0"),
    text: "",
  };
  const { length } = JSON.stringify(message);
  return {
    ...message,
    text: "Some say so, and some say otherwise. ".repeat(3).slice(0, messageBytes - length),
  };
}

/** What a receiver reads of a message. */
export interface ReadMessage {
  readonly sequence: number;
  readonly at: number;
}

/** Reads a message from whatever a subject wraps it in; undefined where there is none in it. */
export function readFanoutMessage(payload: Buffer): ReadMessage | undefined {
  const start = payload.indexOf(marker);
  if (start < 0) return undefined;
  const sequenceStart = start + marker.length;
  // `","at":"` is between the two.
  const timeStart = sequenceStart + sequenceDigits + 8;
  return {
    sequence: digits(payload, sequenceStart, sequenceDigits),
    at: digits(payload, timeStart, timeDigits),
  };
}

function digits(payload: Buffer, start: number, count: number): number {
  let value = 0;
  for (let at = start; at < start + count; at++) value = value * 10 + (payload[at] ?? 0) - 0x30;
  return value;
}
