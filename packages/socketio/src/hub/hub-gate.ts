import { randomBytes } from "node:crypto";
import {
  type Attached,
  type AttachRequest,
  type AttachResult,
  CloseCode,
  clientFromRequest,
  type Hub,
  type Refusal,
  type ResumeRequest,
} from "@sluice/hub";
import type { AnyNamespace } from "../server/namespace.ts";
import { NotRecovered, type SocketGate } from "../server/socket-gate.ts";
import type { AnySocket } from "../server/socket.ts";
import type { EventFrame } from "./event-frame.ts";
import { HubAdapter } from "./hub-adapter.ts";
import type { SocketHubOptions } from "./hub-options.ts";
import { KeptSessions } from "./kept-sessions.ts";
import { NamespaceFace } from "./namespace-face.ts";
import { SessionLink } from "./session-link.ts";

/** Parameters of the query that are the transport's. */
const ownParameters: readonly string[] = ["EIO", "transport", "sid", "t", "j", "b64"];

const defaultSecrets: readonly string[] = ["access_token", "token"];

/** Makes the sockets of a server sessions of a hub. */
export class HubGate implements SocketGate {
  readonly #options: SocketHubOptions;
  readonly #hub: Hub;
  readonly #kept: KeptSessions;
  /** Offsets are this process's own, and of no other. */
  readonly #prefix = randomBytes(6).toString("base64url");
  #offsets = 0;

  constructor(options: SocketHubOptions) {
    this.#options = options;
    this.#hub = options.hub;
    this.#kept = new KeptSessions(options.hub);
  }

  /** The adapter of a namespace. */
  createAdapter(nsp: AnyNamespace): HubAdapter {
    const { encoder, opts } = nsp.server;
    const nextOffset = (): string => `${this.#prefix}.${(this.#offsets++).toString(36)}`;
    const isRecovered = opts.connectionStateRecovery !== undefined;
    const known = this.#kept.faceOf(nsp.name);
    const face = known ?? new NamespaceFace(nsp.name, encoder, isRecovered ? nextOffset : undefined);
    return new HubAdapter(nsp, { hub: this.#hub, face, kept: this.#kept });
  }

  async enter(socket: AnySocket): Promise<void> {
    const { adapter } = socket.nsp;
    if (!(adapter instanceof HubAdapter)) {
      throw new TypeError("a server with a hub has the hub's adapter, and no other");
    }
    const identity = await this.#options.identify?.(socket, socket._auth);
    const expiresAt = identity?.expiresAt ?? this.#expiryOf(socket);
    const link = new SessionLink(socket, adapter.face, adapter);
    const result = await this.#hub.attach(link, {
      ...this.#requestOf(socket),
      ...(identity === undefined ? {} : { identity }),
    });
    if (!isAttached(result)) throw refusalError(socket, result);
    this.#validateRecovered(socket, result);
    if (link.refusal !== undefined) throw refusalError(socket, link.refusal);
    if (socket._pid !== undefined) this.#kept.delete(socket.nsp.name, socket._pid);
    if (expiresAt !== undefined) socket.expiresAt ??= expiresAt;
    socket._session = link;
    await adapter.begin(link);
  }

  connected({ _session: session }: AnySocket): void {
    if (session instanceof SessionLink) session.open();
  }

  /** Until when a socket that is recovered was let in. The middlewares, which said so, may have been skipped. */
  #expiryOf({ recovered, nsp, _pid: pid = "" }: AnySocket): number | undefined {
    const expiresAt = recovered ? this.#kept.get(nsp.name, pid)?.expiresAt : undefined;
    if (expiresAt === undefined || Date.now() < expiresAt) return expiresAt;
    throw new NotRecovered("what the client was let in for has expired");
  }

  #requestOf(socket: AnySocket): AttachRequest {
    const { headers, secrets = defaultSecrets, address } = this.#options;
    const { url, headers: asked, address: remoteAddress } = socket.conn.handshake;
    const request = { headers: asked, url, socket: { remoteAddress } };
    const options = {
      secrets: [...secrets, ...ownParameters],
      ...(headers === undefined ? {} : { headers }),
    };
    const { request: known } = clientFromRequest(request, options);
    const resume = this.#resumeOf(socket);
    return {
      ...known,
      // The path of the URL that clients name; that of their requests is the server's.
      path: socket.nsp.name,
      address: address?.(socket) ?? known.address,
      id: socket.id,
      ...(resume === undefined ? {} : { resume }),
    };
  }

  /** A session that outlives its socket, where sockets are recovered. */
  #resumeOf(socket: AnySocket): ResumeRequest | undefined {
    const { _pid: pid, nsp, recovered, conn } = socket;
    // Clients of 2.x are told of no secret.
    if (pid === undefined || conn.protocol === 3) return undefined;
    const key = `socketio_${pid.replaceAll(/[^A-Za-z0-9_-]/g, "_")}`;
    const offset = recovered ? this.#kept.get(nsp.name, pid)?.offset : undefined;
    if (offset === undefined) return { key, received: 0 };
    const { face } = nsp.adapter as HubAdapter;
    return {
      key,
      received: 0,
      isLast: (delivery) => (delivery.frameFor(face) as EventFrame).offset === offset,
      mustRecover: true,
    };
  }

  /** A client that is told it was recovered was given all that it missed. */
  #validateRecovered({ recovered }: AnySocket, attached: Attached): void {
    if (!recovered || (attached.resumed && attached.recovered)) return;
    attached.attachment.session.close(CloseCode.GONE, "not recovered");
    throw new NotRecovered("the session is gone, or what was missed of it");
  }
}

/** What a server's option says. */
export function createHubGate(hub: Hub | SocketHubOptions): HubGate {
  return new HubGate("hub" in hub ? hub : { hub });
}

function isAttached(result: AttachResult): result is Attached {
  return "attachment" in result;
}

/** What becomes the CONNECT_ERROR. A socket that is recovered is not refused: its client is given another. */
function refusalError({ recovered }: AnySocket, { code, reason }: Refusal): Error {
  return recovered ? new NotRecovered(reason) : Object.assign(new Error(reason), { data: { code } });
}
