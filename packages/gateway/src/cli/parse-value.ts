import type { AddressInfo } from "node:net";
import { InvalidArgumentError } from "commander";

/** A port, 0 to 65535. */
export function portFromText(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535)
    throw new InvalidArgumentError("A port is a number from 0 to 65535.");
  return port;
}

/** A number of bytes above 0. */
export function bytesFromText(text: string): number {
  const bytes = Number(text);
  if (!/^\d+$/.test(text) || bytes === 0) throw new InvalidArgumentError("Give a number of bytes above 0.");
  return bytes;
}

/** A whole number above 0. */
export function countFromText(text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || count === 0) throw new InvalidArgumentError("Give a whole number above 0.");
  return count;
}

/** A number of seconds above 0, of at least a millisecond; fractions are allowed. */
export function timeoutFromText(text: string): number {
  const seconds = secondsFromText(text);
  if (seconds < 0.001) throw new InvalidArgumentError("Give a number of seconds above 0.");
  return seconds;
}

/** A number of seconds, 0 or more; fractions are allowed. */
export function secondsFromText(text: string): number {
  const seconds = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text)) throw new InvalidArgumentError("Give a number of seconds.");
  return seconds;
}

/** The URL of an address that is listened on. */
export function urlOf(scheme: "http" | "https" | "ws", address: AddressInfo): string {
  const host = address.family === "IPv6" ? `[${address.address}]` : address.address;
  return `${scheme}://${host}:${address.port}`;
}
