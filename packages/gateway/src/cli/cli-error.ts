import { ConfigError } from "../config/config-error.ts";
import { RpcError, type RpcErrorCode } from "@sluice/rpc";

/** What a person gave is wrong, or cannot be done; the message says what and what to do. */
export class CliError extends Error {
  /** 2 for what was given wrong, 1 for what could not be done. */
  readonly exitCode: 1 | 2;

  constructor(message: string, options: { readonly cause?: unknown; readonly exitCode?: 1 | 2 } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "CliError";
    this.exitCode = options.exitCode ?? 2;
  }
}

/** The flags that have to do with an error. */
const flagsOf: Partial<Record<RpcErrorCode, string>> = {
  reflection_unsupported: "--descriptor FILE, --proto FILE",
  tls_invalid: "--upstream-ca, --upstream-cert, --upstream-key",
};

/** The exit code and the words for an error that ends a command. */
export function describeError(error: unknown): { exitCode: number; message: string } {
  if (error instanceof CliError) return { exitCode: error.exitCode, message: error.message };
  if (error instanceof ConfigError) return { exitCode: 2, message: error.message };
  if (error instanceof RpcError) {
    const flags = flagsOf[error.code];
    const hint = flags === undefined ? "" : ` (${flags})`;
    return { exitCode: error.code === "reflection_unavailable" ? 1 : 2, message: error.message + hint };
  }
  return { exitCode: 1, message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}

/** A CliError in place of the system's error for an address that cannot be listened on. */
export function listenError(error: unknown, host: string, port: number): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const what = {
    EADDRINUSE: `port ${port} on ${host} is in use; choose another with --port (0 picks a free one)`,
    EACCES: `port ${port} on ${host} needs more rights than this user has; choose one above 1023 with --port`,
    EADDRNOTAVAIL: `${host} is no address of this machine; choose another with --host`,
    ENOTFOUND: `${host} is not known; choose another with --host`,
  }[String(code)];
  return what === undefined ? error : new CliError(what, { cause: error, exitCode: 1 });
}
