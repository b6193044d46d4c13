import { statSync } from "node:fs";
import { resolve } from "node:path";
import { isMetadataName, parseBalancedTarget, RpcError } from "@sluice/rpc";
import { isLoopback } from "../loopback.ts";
import { validateIdentityOptions } from "../identity/validate-options.ts";
import type { BackendSection } from "./backend-section.ts";
import { isSendableToken, leastTokenBytes } from "./push-section.ts";
import type { Config } from "./config.ts";
import type { ConfigPath } from "./config-error.ts";
import { hintFor } from "./did-you-mean.ts";
import { problemOfIdentity } from "./identity-problem.ts";
import { nameOf, type ValueProblem } from "./problem-sentences.ts";

/** What is known beside the configuration. */
export interface Surroundings {
  /** The folder that relative paths begin at. */
  readonly folder: string;
  /** The names of the backends that flags give. */
  readonly backendNames: readonly string[];
}

/** What is wrong with values that are right each for itself. */
export function checkAcross(config: Config, surroundings: Surroundings): readonly ValueProblem[] {
  const found = new Findings(surroundings.folder);
  checkListener(config, found);
  for (const [name, backend] of Object.entries(config.backends)) {
    checkBackend(backend, ["backends", name], config, found);
  }
  checkNames(config, surroundings, found);
  checkFaces(config, found);
  checkSessions(config, found);
  checkRooms(config, found);
  checkIdentity(config, found);
  checkPush(config, found);
  return found.problems;
}

class Findings {
  readonly problems: ValueProblem[] = [];
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** `sentence` follows the name of the value. */
  add(path: ConfigPath, sentence: string, isKey = false): void {
    this.problems.push({ path, isKey, message: `${nameOf(path)} ${sentence}` });
  }

  /** A file or folder that must be there, where it is given. */
  exists(path: ConfigPath, file: string | undefined, kind: "file" | "folder" = "file"): void {
    if (file === undefined) return;
    const full = resolve(this.#folder, file);
    const isFitting = kindOf(full) === kind;
    if (!isFitting)
      this.problems.push({ path, isKey: false, message: `${nameOf(path)}: ${full} is not a ${kind}` });
  }

  allExist(path: ConfigPath, files: readonly string[] | undefined, kind: "file" | "folder" = "file"): void {
    for (const [index, file] of (files ?? []).entries()) this.exists([...path, index], file, kind);
  }
}

/** What is at a path; undefined where nothing is that can be read, or no path can be that. */
function kindOf(path: string): "file" | "folder" | undefined {
  try {
    return statSync(path).isDirectory() ? "folder" : "file";
  } catch {
    return undefined;
  }
}

function checkListener({ tls, files, timeout, maxTimeout }: Config, found: Findings): void {
  found.exists(["tls", "cert"], tls?.cert);
  found.exists(["tls", "key"], tls?.key);
  found.exists(["files"], files, "folder");
  if (timeout !== undefined && maxTimeout !== undefined && timeout > maxTimeout)
    found.add(["timeout"], "is longer than maxTimeout");
}

function checkBackend(backend: BackendSection, path: ConfigPath, config: Config, found: Findings): void {
  const { tls, descriptor, proto, protoPath, httpRules, target } = backend;
  try {
    parseBalancedTarget(target.flatMap((each) => each.split(",")));
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    found.add([...path, "target"], `cannot be: ${error.message}`);
  }
  if ((tls?.cert === undefined) !== (tls?.key === undefined))
    found.add([...path, "tls"], "needs cert and key together, or neither");
  for (const key of ["ca", "cert", "key"] as const) found.exists([...path, "tls", key], tls?.[key]);
  if (descriptor !== undefined && proto !== undefined)
    found.add(path, "has descriptor and proto; its schema comes from one of them");
  if (protoPath !== undefined && proto === undefined)
    found.add([...path, "protoPath"], "goes with proto", true);
  found.allExist([...path, "descriptor"], descriptor);
  found.allExist([...path, "proto"], proto);
  found.allExist([...path, "protoPath"], protoPath, "folder");
  found.allExist([...path, "httpRules"], httpRules);
  const { timeout = config.timeout, maxTimeout = config.maxTimeout } = backend;
  const isOwn = backend.timeout !== undefined || backend.maxTimeout !== undefined;
  if (isOwn && timeout !== undefined && maxTimeout !== undefined && timeout > maxTimeout)
    found.add(
      [...path, backend.timeout === undefined ? "maxTimeout" : "timeout"],
      "makes timeout longer than maxTimeout",
    );
  for (const [method, { per }] of Object.entries(backend.share)) {
    for (const [index, name] of per.entries()) {
      if (!isMetadataName(name.toLowerCase()))
        found.add(
          [...path, "share", method, "per", index],
          "is never metadata, so it cannot tell clients apart",
        );
    }
  }
}

function checkNames(
  { backends, callbacks, faces }: Config,
  { backendNames }: Surroundings,
  found: Findings,
): void {
  const names = [...Object.keys(backends), ...backendNames];
  if (backendNames.length > 0 && names.length > backendNames.length)
    found.add(["backends"], "and --upstream both name backends; leave one of them out", true);
  if (names.length === 0 && Object.values(faces).every((face) => face === undefined))
    found.add(
      ["backends"],
      "is missing: name a gRPC server, as in { orders: { target: localhost:50051 } }",
      true,
    );
  if (callbacks !== undefined && !names.includes(callbacks.backend))
    found.add(["callbacks", "backend"], `is none of the backends${hintFor(callbacks.backend, names)}`);
}

const methodPath = /^\/[\w]+\.[\w.]+\/\w+$/;

function checkFaces({ faces, openApi, callbacks }: Config, found: Findings): void {
  const taken = new Map<string, string>();
  for (const [name, face] of Object.entries(faces) as [string, { readonly path?: string } | undefined][]) {
    const path = face?.path;
    if (path === undefined) continue;
    const other = taken.get(path);
    if (other !== undefined)
      found.add(["faces", name, "path"], `is that of faces.${other} too; give each its own`);
    taken.set(path, name);
    if (openApi && path === "/openapi.json")
      found.add(["faces", name, "path"], "is that of the OpenAPI document");
    if (methodPath.test(path))
      found.add(
        ["faces", name, "path"],
        "looks like /package.Service/Method, which calls of gRPC have; choose another",
      );
  }
  if (faces.packet !== undefined && faces.packet.path === undefined && faces.websocket === undefined)
    found.add(["faces", "packet"], "needs a path where there is no faces.websocket");
  const { socketio } = faces;
  // Clients 2.x are in the namespace / before they ask for another.
  const hasMain = socketio?.namespaces.some((name) => name === "/" || name === "/*") === true;
  if (socketio?.revisions.includes(3) === true && !hasMain)
    found.add(["faces", "socketio", "namespaces"], "must have /, which clients of revision 3 join first");
  if (callbacks !== undefined && Object.values(faces).every((face) => face === undefined))
    found.add(["callbacks"], "tells of sessions, but there is no face on which clients could have one", true);
}

function checkSessions({ sessions, callbacks }: Config, found: Findings): void {
  const { envelope, message, opening, outbox } = sessions.limits;
  if (envelope < message)
    found.add(["sessions", "limits", "envelope"], "is smaller than message, which goes into it");
  if (outbox < message)
    found.add(["sessions", "limits", "outbox"], "is smaller than message, which goes into it");
  if (callbacks?.hooks.includes("connect") === true && callbacks.connectWait >= opening)
    found.add(
      ["callbacks", "connectWait"],
      "must be less than sessions.limits.opening, which ends the waiting",
    );
}

function checkRooms({ rooms, sessions, identity, callbacks }: Config, found: Findings): void {
  const canBeIdentified = identity !== undefined || callbacks?.hooks.includes("connect") === true;
  if (canBeIdentified) return;
  const sentence =
    "is for identified clients, but nothing identifies any: give identity, or callbacks with the hook connect";
  if (sessions.direct === "identified") found.add(["sessions", "direct"], sentence);
  for (const [pattern, room] of Object.entries(rooms)) {
    for (const key of ["join", "publish"] as const) {
      if (room[key] === "identified") found.add(["rooms", pattern, key], sentence);
    }
  }
}

function checkIdentity({ identity, faces }: Config, found: Findings): void {
  if (identity === undefined) return;
  // Nobody is to believe that it guards the methods of backends.
  if (Object.values(faces).every((face) => face === undefined))
    found.add(
      ["identity"],
      "says who has a session, but there is no face on which clients could have one; calls go through without it",
      true,
    );
  found.exists(["identity", "jwt", "secretFile"], identity.jwt.secretFile);
  found.exists(["identity", "jwt", "publicKeyFile"], identity.jwt.publicKeyFile);
  found.problems.push(...validateIdentityOptions(identity).map(problemOfIdentity));
}

function checkPush({ push, listen, faces }: Config, found: Findings): void {
  if (push === undefined) return;
  const { token = [], tokenFile } = push;
  if (Object.values(faces).every((face) => face === undefined))
    found.add(["push"], "reaches sessions, but there is no face on which clients could have one", true);
  found.exists(["push", "tokenFile"], tokenFile);
  if (token.length > 0 && tokenFile !== undefined)
    found.add(["push"], "has token and tokenFile; leave one out");
  if (token.some((each) => Buffer.byteLength(each) < leastTokenBytes))
    found.add(["push", "token"], `has fewer than ${leastTokenBytes} bytes, and could be guessed`);
  if (!token.every(isSendableToken))
    found.add(["push", "token"], "must be printable ASCII without spaces, as a header carries it");
  const isGuarded = token.length > 0 || tokenFile !== undefined;
  if (push.listen === undefined) {
    if (!isGuarded)
      found.add(["push"], "is open to everybody; give token or tokenFile, or listen on a loopback address");
    return;
  }
  if (!isGuarded && !isLoopback(push.listen.host))
    found.add(["push", "listen"], "can be reached from other machines, which needs token or tokenFile");
  const isSame =
    push.listen.port !== 0 && push.listen.port === listen.port && push.listen.host === listen.host;
  if (isSame) found.add(["push", "listen"], "is that of the gateway; leave it out, or choose another port");
}
