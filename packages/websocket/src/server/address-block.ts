import { isIPv6 } from "node:net";

/**
 * What counts as one client: an IPv4 address, or the first 64 bits of an IPv6 address, because those are what a
 * customer gets, with 2^64 addresses in them (RFC 6177). An IPv4 address in an IPv6 one (`::ffff:192.0.2.1`), as a
 * socket that listens for both has it, counts as the former. What is no address is returned as it is.
 */
export function addressBlock(address: string): string {
  const plain = address.replace(/%.*$/s, "");
  if (!isIPv6(plain)) return address;
  const groups = groupsOf(plain);
  const mapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (!mapped) {
    const first = groups.slice(0, 4).map((group) => group.toString(16));
    return `${first.join(":")}::/64`;
  }
  const [high = 0, low = 0] = groups.slice(6);
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join(".");
}

/** The eight numbers of a valid IPv6 address. */
function groupsOf(address: string): number[] {
  const [before = [], after] = address.split("::").map(numbersOf);
  if (after === undefined) return before;
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => 0);
  return [...before, ...zeros, ...after];
}

function numbersOf(groups: string): number[] {
  if (groups === "") return [];
  return groups.split(":").flatMap((group) => {
    if (!group.includes(".")) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split(".").map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}
