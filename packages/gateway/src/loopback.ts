import { isIPv4 } from "node:net";

/** Whether a host, as a name or an address without port and brackets, is this machine and reached by nobody else. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIPv4(host) && host.startsWith("127."));
}
