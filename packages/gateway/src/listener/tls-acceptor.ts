import type { Socket } from "node:net";
import { createSecureContext, createServer, type Server } from "node:tls";

/** With what a listener shows who it is. */
export interface ListenerTls {
  /** The PEM certificate, with its chain. */
  readonly cert: string | Buffer;
  /** The PEM private key of `cert`. */
  readonly key: string | Buffer;
}

/** Throws OpenSSL's error where certificate and key are none, or do not belong together. */
export function checkListenerTls({ cert, key }: ListenerTls): void {
  createSecureContext({ cert, key });
}

/** Told what was agreed by ALPN (RFC 7301), HTTP/1.1 where nothing was, and the socket that is read from then on. */
export type SecureListener = (protocol: "http1" | "http2", socket: Socket) => void;

/** Begins TLS on connections that others have accepted. */
export class TlsAcceptor {
  /** It never listens itself; its handshakes are what Node's HTTP servers count on. */
  readonly #server: Server;
  /** Node does not say whose handshake it is that has ended; the client's address and port do. */
  readonly #beginning = new Map<string, SecureListener>();

  /** A client that has not agreed on TLS after `timeoutMs` milliseconds is disconnected. Throws as `checkListenerTls`. */
  constructor(tls: ListenerTls, timeoutMs: number) {
    this.#server = createServer({
      ...tls,
      ALPNProtocols: ["h2", "http/1.1"],
      handshakeTimeout: timeoutMs,
    });
    this.#server.on("secureConnection", (socket) => {
      const name = nameOf(socket);
      const found = this.#beginning.get(name);
      this.#beginning.delete(name);
      if (found === undefined) socket.destroy();
      else found(socket.alpnProtocol === "h2" ? "http2" : "http1", socket);
    });
    this.#server.on("tlsClientError", (_error, socket) => socket.destroy());
  }

  /** Shows another certificate from now on. Throws as `checkListenerTls`, and goes on as before. */
  renew(tls: ListenerTls): void {
    checkListenerTls(tls);
    this.#server.setSecureContext(tls);
  }

  /** Begins TLS; a connection on which it is not agreed is closed, and `found` never called. */
  accept(socket: Socket, found: SecureListener): void {
    const name = nameOf(socket);
    this.#beginning.set(name, found);
    socket.once("close", () => this.#beginning.delete(name));
    this.#server.emit("connection", socket);
  }
}

function nameOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
