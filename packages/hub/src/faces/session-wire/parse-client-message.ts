import type { Refusal } from "../../attachment.ts";
import { CloseCode } from "../../close-code.ts";
import type { ClientData, ClientPosition, Command, ConnectMessage, Parsed } from "./client-message.ts";
import { memberText } from "./json-member.ts";

/** The members that each verb may have beside itself. */
const membersOf = {
  connect: [],
  send: ["type", "id"],
  join: ["since", "id"],
  leave: ["id"],
  publish: ["data", "type", "key", "id"],
  presence: ["id"],
  history: ["since", "limit", "reverse", "id"],
  refresh: ["id"],
  received: [],
} as const satisfies Record<string, readonly string[]>;

type Verb = keyof typeof membersOf;
type Members = Readonly<Record<string, unknown>>;

const verbs = Object.keys(membersOf) as readonly Verb[];

/** Why a command is wrong; thrown and caught in this file only. */
class Problem extends Error {}

/**
 * What one text of a client says. A text that is no JSON object with exactly one verb is refused; a verb whose
 * members are wrong is an invalid command, which the client is told of, but for `connect` and `received`, which are refused too.
 */
export function parseClientMessage(text: string): Parsed {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return malformed("a message must be JSON");
  }
  if (!isMembers(value)) return malformed("a message must be a JSON object");
  const found = verbs.filter((verb) => Object.hasOwn(value, verb));
  const [verb] = found;
  if (verb === undefined) return malformed(`a message must have one of ${verbs.join(", ")}`);
  if (found.length > 1) return malformed(`a message has one verb, and this has ${found.join(" and ")}`);
  const { id } = value;
  if (id !== undefined && !isCount(id)) return malformed("id must be a whole number from 0 to 2^53 - 1");
  try {
    checkMembers(value, [verb, ...membersOf[verb]], `with ${verb}`);
    if (verb === "connect") return connectFrom(value[verb]);
    if (verb === "received") return { verb, received: countFrom(value[verb], verb) };
    return { ...commandFrom(verb, value, text), ...(id === undefined ? {} : { id }) };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const { message: problem } = error;
    if (verb === "connect" || verb === "received") return malformed(problem);
    return { verb: "invalid", problem, ...(id === undefined ? {} : { id }) };
  }
}

function commandFrom(verb: Exclude<Verb, "connect" | "received">, value: Members, text: string): Command {
  switch (verb) {
    case "send":
      return { verb, said: dataFrom(value[verb], verb, text), type: typeFrom(value["type"]) };
    case "publish": {
      const room = roomFrom(value[verb], verb);
      if (value["data"] === undefined) throw new Problem("publish needs data");
      const said = dataFrom(value["data"], "data", text);
      const { key } = value;
      if (key !== undefined && (typeof key !== "string" || key === "")) {
        throw new Problem("key must be a text of at least one character");
      }
      return { verb, room, said, type: typeFrom(value["type"]), ...(key === undefined ? {} : { key }) };
    }
    case "join":
      return { verb, room: roomFrom(value[verb], verb), ...sinceFrom(value["since"]) };
    case "history": {
      const { limit, reverse = false } = value;
      if (typeof reverse !== "boolean") throw new Problem("reverse must be true or false");
      return {
        verb,
        room: roomFrom(value[verb], verb),
        ...sinceFrom(value["since"]),
        ...(limit === undefined ? {} : { limit: countFrom(limit, "limit") }),
        reverse,
      };
    }
    case "leave":
    case "presence":
      return { verb, room: roomFrom(value[verb], verb) };
    case "refresh":
      return { verb, token: tokenFrom(value[verb], verb) };
  }
}

function connectFrom(value: unknown): ConnectMessage {
  if (!isMembers(value)) throw new Problem("connect must be an object");
  checkMembers(value, ["token", "resume", "rooms"], "in connect");
  const { token, resume, rooms = [] } = value;
  if (!Array.isArray(rooms)) throw new Problem("connect.rooms must be a list");
  return {
    verb: "connect",
    ...(token === undefined ? {} : { token: tokenFrom(token, "connect.token") }),
    ...(resume === undefined ? {} : { resume: resumeFrom(resume) }),
    rooms: rooms.map(returnFrom),
  };
}

function resumeFrom(value: unknown): NonNullable<ConnectMessage["resume"]> {
  if (!isMembers(value)) throw new Problem("connect.resume must be an object");
  checkMembers(value, ["key", "received"], "in connect.resume");
  const { key, received } = value;
  if (typeof key !== "string") throw new Problem("connect.resume.key must be a text");
  return { key, received: countFrom(received, "connect.resume.received") };
}

/** A room to which a client returns. */
function returnFrom(value: unknown): ConnectMessage["rooms"][number] {
  if (!isMembers(value)) throw new Problem("each of connect.rooms must be an object");
  checkMembers(value, ["room", "epoch", "offset"], "in connect.rooms");
  const { room, epoch, offset } = value;
  const name = roomFrom(room, "connect.rooms: room");
  if (epoch === undefined && offset === undefined) return { room: name };
  return { room: name, since: positionFrom({ epoch, offset }, "connect.rooms: ") };
}

function sinceFrom(value: unknown): { readonly since?: ClientPosition } {
  if (value === undefined) return {};
  if (!isMembers(value)) throw new Problem("since must be an object");
  checkMembers(value, ["epoch", "offset"], "in since");
  return { since: positionFrom(value, "since.") };
}

function positionFrom({ epoch, offset }: Members, where: string): ClientPosition {
  if (typeof epoch !== "string") throw new Problem(`${where}epoch must be a text`);
  return { epoch, offset: countFrom(offset, `${where}offset`) };
}

/** `{"base64": …}` alone is bytes, a JSON string a text, and everything else the text of that JSON as it was written. */
function dataFrom(value: unknown, name: "send" | "data", text: string): ClientData {
  if (typeof value === "string") return { data: value, isJson: false };
  if (isMembers(value) && Object.hasOwn(value, "base64") && Object.keys(value).length === 1) {
    return { data: bytesFrom(value["base64"]), isJson: false };
  }
  return { data: memberText(text, name) ?? "null", isJson: true };
}

function bytesFrom(value: unknown): Uint8Array {
  if (typeof value === "string" && /^[A-Za-z0-9+/]*={0,2}$/.test(value)) {
    const rest = value.length % 4;
    if (value.endsWith("=") ? rest === 0 : rest !== 1) return Buffer.from(value, "base64");
  }
  throw new Problem("base64 must be bytes in base64, as in RFC 4648 section 4");
}

function typeFrom(value: unknown): string {
  if (value === undefined) return "";
  if (typeof value !== "string") throw new Problem("type must be a text");
  return value;
}

function roomFrom(value: unknown, name: string): string {
  if (typeof value !== "string" || value === "") throw new Problem(`${name} must be the name of a room`);
  return value;
}

function tokenFrom(value: unknown, name: string): string {
  if (typeof value !== "string") throw new Problem(`${name} must be a token, a text`);
  return value;
}

function countFrom(value: unknown, name: string): number {
  if (!isCount(value)) throw new Problem(`${name} must be a whole number from 0 to 2^53 - 1`);
  return value;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && !Object.is(value, -0);
}

function isMembers(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A member that nobody reads would be a wish that nobody fulfils. */
function checkMembers(value: Members, known: readonly string[], where: string): void {
  const unknown = Object.keys(value).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new Problem(`${JSON.stringify(unknown.slice(0, 40))} is unknown ${where}`);
}

function malformed(reason: string): Refusal {
  return { code: CloseCode.MALFORMED, reason };
}
