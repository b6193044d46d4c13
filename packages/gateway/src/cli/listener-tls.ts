import { X509Certificate } from "node:crypto";
import type { Gateway } from "../gateway.ts";
import { checkListenerTls, type ListenerTls } from "../listener/tls-acceptor.ts";
import type { Logger } from "../log.ts";
import { CliError } from "./cli-error.ts";
import { readPem } from "./tls-flags.ts";

/** The flags of TLS with clients. */
export interface ListenerTlsFlags {
  readonly tlsCert?: string;
  readonly tlsKey?: string;
}

/** The files of a certificate, which may be written anew while it is in use. */
export interface CertificateFiles {
  /** Reads both. Throws CliError for what cannot be read, is no certificate, or has another key. */
  read(): ListenerTls;
}

/** The certificate of the flags; undefined without. Throws CliError where one of the two flags is missing. */
export function listenerTlsFromFlags({ tlsCert, tlsKey }: ListenerTlsFlags): CertificateFiles | undefined {
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined) {
    throw new CliError("--tls-cert and --tls-key go together");
  }
  return {
    read: () => {
      const tls = { cert: readPem("--tls-cert", tlsCert), key: readPem("--tls-key", tlsKey) };
      try {
        checkListenerTls(tls);
      } catch (error) {
        const reason = error instanceof Error && "reason" in error ? String(error.reason) : String(error);
        throw new CliError(`--tls-cert ${tlsCert}, --tls-key ${tlsKey}: ${reason}`, { cause: error });
      }
      return tls;
    },
  };
}

/** Reads the files again for the connections to come; with files that do not serve, the ones before stay. */
export function renewCertificate(gateway: Gateway, files: CertificateFiles, log: Logger): void {
  try {
    const tls = files.read();
    gateway.renewCertificate(tls);
    log.info(`the certificate was read again, valid until ${new X509Certificate(tls.cert).validTo}`);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    log.error(`the certificate stays as it was: ${error.message}`);
  }
}
