import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { HubLimits, SocketFaceName } from "@sluice/hub";
import type { IdentityOptions, JwtOptions } from "../identity/identity-options.ts";
import type {
  HostedCallbacks,
  HostedPush,
  HostedRoom,
  HostedSockets,
  SessionHostOptions,
} from "../session-host/options.ts";
import type { CallbacksSection } from "./callbacks-section.ts";
import type { FacesSection } from "./faces-section.ts";
import type { LoadedConfig } from "./load-config.ts";
import { isFitToken, leastTokenBytes, type PushSection } from "./push-section.ts";
import type { RoomSection } from "./rooms-section.ts";
import type { SessionLimitsSection } from "./sessions-section.ts";

/** The sessions of a configuration; undefined where it has no faces. */
export function sessionOptions(loaded: LoadedConfig): SessionHostOptions | undefined {
  const { config, folder } = loaded;
  const { faces, rooms, sessions, identity, callbacks } = config;
  const sockets = socketsOf(faces);
  if (sockets.length === 0 && faces.sse === undefined && faces.socketio === undefined) return undefined;
  return {
    sockets,
    events: faces.sse?.path,
    socketio: faces.socketio,
    rooms: Object.fromEntries(Object.entries(rooms).map(([pattern, room]) => [pattern, roomOf(room)])),
    direct: sessions.direct,
    headers: sessions.headers,
    limits: hubLimits(sessions.limits),
    historyBytes: sessions.limits.histories,
    envelopeBytes: sessions.limits.envelope,
    packetsPerMessage: sessions.limits.packets,
    graceMs: sessions.grace,
    identity: identity === undefined ? undefined : withFullPaths(identity, folder),
    push: config.push === undefined ? undefined : hostedPush(config.push, loaded),
    callbacks: callbacks === undefined ? undefined : hostedCallbacks(callbacks),
    packetTypes: faces.packet?.types,
  };
}

function socketsOf({ websocket, packet }: FacesSection): readonly HostedSockets[] {
  const sockets: HostedSockets[] = [];
  if (websocket !== undefined) {
    const faces: SocketFaceName[] = websocket.protocols.map((each) => (each === "raw" ? "websocket" : each));
    if (packet !== undefined && packet.path === undefined) faces.push("packet");
    sockets.push({ path: websocket.path, faces });
  }
  if (packet?.path !== undefined) sockets.push({ path: packet.path, faces: ["packet"] });
  return sockets;
}

function roomOf({ history, maxMembers, ...room }: RoomSection): HostedRoom {
  return {
    ...room,
    ...(history === undefined ? {} : { history: { size: history.size, ttlMs: history.ttl } }),
    ...(maxMembers === undefined ? {} : { maxMembers }),
  };
}

function hubLimits(limits: SessionLimitsSection): HubLimits {
  return {
    sessions: limits.sessions,
    sessionsPerUser: limits.sessionsPerUser,
    openingMs: limits.opening,
    roomsPerSession: limits.roomsPerSession,
    roomNameBytes: limits.roomName,
    messageBytes: limits.message,
    messagesPerSecond: limits.messagesPerSecond,
    messageBurst: limits.messageBurst,
    outboxBytes: limits.outbox,
    replayCount: limits.replayCount,
    replayBytes: limits.replay,
    historyPage: limits.historyPage,
    stateEntries: limits.stateEntries,
    stateBytes: limits.state,
    presenceMembers: limits.presenceMembers,
  };
}

function withFullPaths(identity: IdentityOptions, folder: string): IdentityOptions {
  const { secretFile, publicKeyFile, ...others } = identity.jwt;
  const jwt: JwtOptions = {
    ...others,
    ...(secretFile === undefined ? {} : { secretFile: resolve(folder, secretFile) }),
    ...(publicKeyFile === undefined ? {} : { publicKeyFile: resolve(folder, publicKeyFile) }),
  };
  return { ...identity, jwt };
}

function hostedPush(push: PushSection, { folder, errorAt }: LoadedConfig): HostedPush {
  const { token, tokenFile, listen, origins } = push;
  const tokens = tokenFile === undefined ? token : tokensOf(readFileSync(resolve(folder, tokenFile), "utf8"));
  if (tokens?.every(isFitToken) === false || tokens?.length === 0) {
    const message = `push.tokenFile must have a token of at least ${leastTokenBytes} bytes, printable ASCII without spaces, in each of its lines`;
    throw errorAt(["push", "tokenFile"], message);
  }
  return { tokens: tokens ?? "none", origins, listen };
}

function tokensOf(text: string): readonly string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

function hostedCallbacks(callbacks: CallbacksSection): HostedCallbacks {
  const { backend, hooks, onFailure, concurrency, streams, metadata } = callbacks;
  return {
    backend,
    hooks,
    onFailure,
    deadlineMs: callbacks.timeout,
    waitMs: callbacks.wait,
    connectWaitMs: callbacks.connectWait,
    concurrency,
    streams,
    disconnects: { giveUpMs: callbacks.giveUp, perSecond: callbacks.disconnectsPerSecond },
    breaker: { failures: callbacks.breaker.failures, openMs: callbacks.breaker.pause },
    metadata,
  };
}
