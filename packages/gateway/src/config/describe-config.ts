import type { Config } from "./config.ts";
import { textFromMilliseconds } from "./units.ts";

/** What a configuration comes to, in a few lines for a person. It has no secrets. */
export function describeConfig(config: Config): readonly string[] {
  const { listen, tls, backends, faces, callbacks, rooms, identity, push } = config;
  const lines = [`listen     ${tls === undefined ? "http" : "https"}://${hostOf(listen)}`];
  for (const [name, { target, proto, descriptor }] of Object.entries(backends)) {
    const schema = (descriptor ?? proto)?.join(", ") ?? "reflection";
    lines.push(`backend    ${name}: ${target.join(", ")}, schema from ${schema}`);
  }
  if (faces.websocket !== undefined)
    lines.push(`face       websocket at ${faces.websocket.path} (${faces.websocket.protocols.join(", ")})`);
  if (faces.packet !== undefined) {
    const types = Object.keys(faces.packet.types).length;
    const calls = types === 1 ? "1 type is a method" : `${types} types are methods`;
    lines.push(`face       packet at ${faces.packet.path ?? faces.websocket?.path ?? ""}, ${calls}`);
  }
  if (faces.sse !== undefined) lines.push(`face       sse at ${faces.sse.path}`);
  if (faces.socketio !== undefined) {
    const { path, namespaces, revisions } = faces.socketio;
    const old = revisions.includes(3) ? ", clients 2.x too" : "";
    lines.push(`face       socketio at ${path}/, ${namespaces.join(", ")}${old}`);
  }
  for (const [pattern, { history, presence, slow, join, publish }] of Object.entries(rooms)) {
    const kept =
      history === undefined ? "no history" : `${history.size} kept for ${textFromMilliseconds(history.ttl)}`;
    const who = `join: ${join}, publish: ${publish}`;
    lines.push(`rooms      ${pattern}: ${kept}, ${presence ? "presence, " : ""}slow: ${slow}, ${who}`);
  }
  if (identity !== undefined)
    lines.push(`identity   JSON Web Tokens${identity.required === false ? ", not required" : ""}`);
  if (callbacks !== undefined)
    lines.push(
      `callbacks  ${callbacks.hooks.join(", ")} to ${callbacks.backend}${callbacks.streams > 0 ? `, on ${callbacks.streams} streams` : ""}`,
    );
  if (push !== undefined) {
    const isGuarded = push.token !== undefined || push.tokenFile !== undefined;
    lines.push(
      `push       at ${hostOf(push.listen ?? listen)}, ${isGuarded ? "with a token" : "without a token"}`,
    );
  }
  return lines;
}

function hostOf({ host, port }: Config["listen"]): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
