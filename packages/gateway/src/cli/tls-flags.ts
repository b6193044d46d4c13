import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { CliError } from "./cli-error.ts";

/** The flags that say how TLS is spoken with backends; they are for all backends of a command. */
export interface TlsFlags {
  readonly upstreamTls?: boolean;
  readonly upstreamCa?: string;
  readonly upstreamCert?: string;
  readonly upstreamKey?: string;
  readonly upstreamServerName?: string;
}

/** TLS options, as Node and a backend take them. */
export interface ClientTls {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly servername?: string;
}

/** Adds the TLS flags to a command. */
export function addTlsOptions(command: Command): Command {
  return command
    .option("--upstream-tls", "speak TLS also with a gRPC server whose address does not say https://")
    .option("--upstream-ca <file>", "PEM certificates to trust for TLS with the gRPC server")
    .option(
      "--upstream-cert <file>",
      "PEM certificate to show to the gRPC server (mTLS), with --upstream-key",
    )
    .option("--upstream-key <file>", "PEM private key of --upstream-cert")
    .option(
      "--upstream-server-name <name>",
      "the name that the gRPC server's certificate has, where it is not in the address",
    );
}

/**
 * The TLS options that the flags name; undefined where they name none, so that addresses alone decide.
 * Throws CliError for a file that cannot be read, and for a certificate without its key.
 */
export function tlsFromFlags(flags: TlsFlags): ClientTls | undefined {
  const { upstreamTls, upstreamCa, upstreamCert, upstreamKey, upstreamServerName } = flags;
  if ((upstreamCert === undefined) !== (upstreamKey === undefined)) {
    throw new CliError("--upstream-cert and --upstream-key go together");
  }
  const tls = {
    ...(upstreamCa === undefined ? {} : { ca: readPem("--upstream-ca", upstreamCa) }),
    ...(upstreamCert === undefined ? {} : { cert: readPem("--upstream-cert", upstreamCert) }),
    ...(upstreamKey === undefined ? {} : { key: readPem("--upstream-key", upstreamKey) }),
    ...(upstreamServerName === undefined ? {} : { servername: upstreamServerName }),
  };
  return upstreamTls === true || Object.keys(tls).length > 0 ? tls : undefined;
}

/** Reads the PEM file of a flag. Throws CliError. */
export function readPem(flag: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new CliError(`${flag}: cannot read ${file}`, { cause: error });
  }
}
