import type { AddressInfo } from "node:net";
import { InvalidArgumentError } from "commander";

/** The greatest size and count: what HTTP/2 and the multiplex wire can tell, in 32 bits. */
const greatest = 0xffff_ffff;

/** The longest time of one of Node's timers, in whole seconds. */
const longestSeconds = 2_147_483;

/** A port, 0 to 65535. */
export function portFromText(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535)
    throw new InvalidArgumentError("A port is a number from 0 to 65535.");
  return port;
}

/** A number of bytes above 0, and below 4 GiB. */
export function bytesFromText(text: string): number {
  const bytes = Number(text);
  if (!/^\d+$/.test(text) || bytes === 0 || bytes > greatest)
    throw new InvalidArgumentError(`Give a number of bytes from 1 to ${greatest}.`);
  return bytes;
}

/** A whole number above 0, of 32 bits. */
export function countFromText(text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || count === 0 || count > greatest)
    throw new InvalidArgumentError(`Give a whole number from 1 to ${greatest}.`);
  return count;
}

/** A number of seconds above 0, of at least a millisecond; fractions are allowed. */
export function timeoutFromText(text: string): number {
  const seconds = secondsFromText(text);
  if (seconds < 0.001) throw new InvalidArgumentError("Give a number of seconds above 0.");
  return seconds;
}

/** A number of seconds, from 0 to 24 days; fractions are allowed. */
export function secondsFromText(text: string): number {
  const seconds = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text)) throw new InvalidArgumentError("Give a number of seconds.");
  if (seconds > longestSeconds)
    throw new InvalidArgumentError(`Give at most ${longestSeconds} seconds, which are 24 days.`);
  return seconds;
}

/** Takes one more origin of a page, as browsers write it, or `*` for all. */
export function originFromText(text: string, before: readonly string[] = []): readonly string[] {
  const isOrigin = text === "*" || (URL.canParse(text) && /^[a-z][a-z0-9+.-]*:\/\/[^/?#]+$/i.test(text));
  if (!isOrigin) {
    throw new InvalidArgumentError(
      "Give a scheme and a host, and nothing behind them, as in https://app.example.com, or *.",
    );
  }
  return [...before, text];
}

/** The URL of an address that is listened on. */
export function urlOf(scheme: "http" | "https" | "ws", address: AddressInfo): string {
  const host = address.family === "IPv6" ? `[${address.address}]` : address.address;
  return `${scheme}://${host}:${address.port}`;
}
