import { RpcError } from "../error.ts";

/** Where a backend listens. */
export interface Target {
  /** What `net.connect` and `tls.connect` take. */
  readonly address: { readonly host: string; readonly port: number } | { readonly path: string };
  /** Whether the address itself says that TLS is spoken (`https:`), is not spoken (`http:`), or leaves it open. */
  readonly scheme: "http" | "https" | undefined;
  /** The `:authority` of requests: host and port, or `localhost` for a Unix socket. */
  readonly authority: string;
}

const forms =
  "write host:port, [ipv6]:port, dns:///host:port, http://host:port, https://host:port or unix:/path/of.sock";

/**
 * Reads the address of a backend: `host:port`, `[::1]:port`, `dns:///host:port`, `ipv4:…` and `ipv6:…` as gRPC
 * names them, `http://host[:port]`, `https://host[:port]`, `unix:/path`, `unix:///path`.
 * Throws an RpcError `target_invalid`, which says what is wrong and what can be written.
 * Source: https://github.com/grpc/grpc/blob/master/doc/naming.md
 */
export function parseTarget(target: string): Target {
  const invalid = (why: string): RpcError =>
    new RpcError("target_invalid", `the backend address "${target}" ${why}; ${forms}`);

  const unix = /^unix:(?:\/\/(?=\/))?(.+)$/.exec(target);
  if (unix?.[1] !== undefined) {
    return { address: { path: unix[1] }, scheme: undefined, authority: "localhost" };
  }

  const [, prefix, rest = ""] = /^(dns:\/\/\/|dns:(?!\/)|ipv4:|ipv6:|https?:\/\/)?(.*)$/s.exec(target) ?? [];
  const scheme = prefix === "http://" ? "http" : prefix === "https://" ? "https" : undefined;
  const place = scheme === undefined ? rest : rest.replace(/\/$/, "");
  if (place === "") throw invalid(target === "" ? "is empty" : "has no host");
  if (scheme === undefined && /^[a-z][a-z0-9+.-]*:\/\//i.test(place)) throw invalid("has an unknown scheme");
  if (place.includes("/")) throw invalid("has a path, which gRPC does not use");
  if (/^[^[]*:[^:]*:/.test(place))
    throw invalid("has an IPv6 address without brackets or more than one port");

  const match = /^(\[[0-9a-f:.]+(?:%[\w.-]+)?\]|[a-z0-9._-]+)(?::(\d+))?$/i.exec(place);
  const name = match?.[1];
  if (name === undefined) throw invalid("is not a host and a port");
  const digits = match?.[2] ?? (scheme === "http" ? "80" : scheme === "https" ? "443" : undefined);
  if (digits === undefined) throw invalid("has no port");
  const port = Number(digits);
  if (port < 1 || port > 65_535) throw invalid("has a port that is not between 1 and 65535");
  return {
    address: { host: name.startsWith("[") ? name.slice(1, -1) : name, port },
    scheme,
    authority: `${name}:${port}`,
  };
}
