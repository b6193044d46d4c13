import { isIP } from "node:net";
import { parseTarget } from "../backend/target.ts";
import { RpcError } from "../error.ts";

/** Where the addresses of a backend come from. */
export type BalancedTarget =
  | { readonly kind: "list"; readonly addresses: readonly string[] }
  | {
      readonly kind: "name";
      readonly host: string;
      readonly port: number;
      /** The `:authority` of all its addresses. */
      readonly authority: string;
    };

/**
 * Reads the target of a backend with several addresses: `dns:///host:port`, a name whose addresses are looked
 * up; or `host:port,host:port`, or an array, whose parts are whatever a single backend takes.
 * Throws an RpcError `target_invalid`.
 */
export function parseBalancedTarget(target: string | readonly string[]): BalancedTarget {
  const parts = typeof target === "string" ? target.split(",") : target;
  const [first] = parts;
  if (first === undefined) throw new RpcError("target_invalid", "the list of backend addresses is empty");
  const parsed = parts.map((part) => parseTarget(part.trim()));
  if (!parts.some(isName)) return { kind: "list", addresses: [...new Set(parts.map((part) => part.trim()))] };
  if (parts.length > 1) {
    throw new RpcError(
      "target_invalid",
      `the backend addresses "${parts.join(",")}" mix a dns: name with others; write the name alone, or host:port for each`,
    );
  }
  const [{ address, authority } = { address: undefined, authority: "" }] = parsed;
  if (address === undefined || !("host" in address)) throw new Error("a name has a host");
  const { host, port } = address;
  return isIP(host) === 0
    ? { kind: "name", host, port, authority }
    : { kind: "list", addresses: [authority] };
}

function isName(part: string): boolean {
  return part.trim().startsWith("dns:");
}

/** An IP address and a port, as a target. */
export function targetOf(ip: string, port: number): string {
  return isIP(ip) === 6 ? `[${ip}]:${port}` : `${ip}:${port}`;
}
