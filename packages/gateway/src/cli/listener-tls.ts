import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { LoadedConfig } from "../config/load-config.ts";
import { ConfigError } from "../config/config-error.ts";
import type { Gateway } from "../gateway.ts";
import { checkListenerTls, type ListenerTls } from "../listener/tls-acceptor.ts";
import type { Logger } from "../log.ts";

/** The files of a certificate, which may be written anew while it is in use. */
export interface CertificateFiles {
  /** Reads both. Throws ConfigError for what cannot be read, is no certificate, or has another key. */
  read(): ListenerTls;
}

/** The certificate with which the gateway speaks TLS with clients; undefined where it does not. */
export function certificateFiles({ config, folder, errorAt }: LoadedConfig): CertificateFiles | undefined {
  const { tls } = config;
  if (tls === undefined) return undefined;
  const read = (key: "cert" | "key"): Buffer => {
    try {
      return readFileSync(resolve(folder, tls[key]));
    } catch (error) {
      throw errorAt(["tls", key], `tls.${key}: cannot read ${tls[key]} (${reasonOf(error)})`);
    }
  };
  return {
    read: () => {
      const pair = { cert: read("cert"), key: read("key") };
      try {
        checkListenerTls(pair);
      } catch (error) {
        throw errorAt(["tls"], `tls: ${tls.cert} with the key ${tls.key}: ${reasonOf(error)}`);
      }
      return pair;
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
    if (!(error instanceof ConfigError)) throw error;
    log.error(`the certificate stays as it was: ${error.problems.map(({ message }) => message).join("; ")}`);
  }
}

/** Of an error of OpenSSL its reason, of one of the system its code. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ("reason" in error) return String(error.reason);
  return "code" in error ? String(error.code) : error.message;
}
