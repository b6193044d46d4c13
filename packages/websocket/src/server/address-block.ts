import { isIPv6 } from "node:net";

/** An IPv4 address in an IPv6 one, as a socket that listens for both has it. */
const mapped = /^(?:0*:)*:?ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/**
 * What counts as one client: an IPv4 address, or the first 64 bits of an IPv6 address, because those are what a
 * customer gets, with 2^64 addresses in them (RFC 6177). What is no address is returned as it is.
 */
export function addressBlock(address: string): string {
  const plain = address.replace(/%.*$/s, "");
  const inner = mapped.exec(plain)?.[1];
  if (inner !== undefined) return inner;
  if (!isIPv6(plain)) return address;
  const [head = "", tail] = plain.toLowerCase().split("::");
  const groups = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const embedded = [...groups, ...after].some((group) => group.includes(".")) ? 1 : 0;
  const zeros = tail === undefined ? 0 : 8 - groups.length - after.length - embedded;
  const all = [...groups, ...Array.from({ length: zeros }, () => "0"), ...after];
  const first = all.slice(0, 4).map((group) => group.replace(/^0+(?=.)/, ""));
  return `${first.join(":")}::/64`;
}
