import { SocketIoError } from "../error.ts";
import { isJsonDeeper, maxNesting } from "./nesting.ts";
import { type Packet, PacketType, reservedEvents } from "./packet.ts";

/** A packet as its text says it. */
export interface TextPacket extends Packet {
  /** How many attachments follow. */
  readonly attachments: number;
}

const DASH = 0x2d;
const SLASH = 0x2f;

/** More digits are no safe integer. */
const MAX_DIGITS = 15;

/**
 * Reads `<type>[<attachments>-][<namespace>,][<id>][JSON]`. Throws `packet_invalid` where it is not that, or what it
 * says is not of its type.
 */
export function decodeText(text: string, maxAttachments: number): TextPacket {
  const type = text.charCodeAt(0) - 0x30;
  if (!isPacketType(type)) throw invalid("a packet must begin with its type, 0 to 6");
  let at = 1;
  let attachments = 0;
  if (type === PacketType.BINARY_EVENT || type === PacketType.BINARY_ACK) {
    const end = endOfDigits(text, at);
    attachments = numberIn(text, at, end);
    if (text.charCodeAt(end) !== DASH || !(attachments > 0)) {
      throw invalid("a binary packet must say how many attachments it has, and a dash");
    }
    if (attachments > maxAttachments) throw invalid(`a packet has at most ${maxAttachments} attachments`);
    at = end + 1;
  }
  let nsp = "/";
  if (text.charCodeAt(at) === SLASH) {
    const comma = text.indexOf(",", at);
    const end = comma < 0 ? text.length : comma;
    nsp = text.slice(at, end);
    at = Math.min(end + 1, text.length);
  }
  const end = endOfDigits(text, at);
  const id = end === at ? undefined : numberIn(text, at, end);
  if (Number.isNaN(id)) throw invalid(`the id of a packet has at most ${MAX_DIGITS} digits`);
  const data = end === text.length ? undefined : parseJson(text.slice(end));
  checkData(type, data, id);
  return { type, nsp, id, data, attachments };
}

/** Throws `packet_invalid` where what a packet says is not of its type. */
export function checkData(type: PacketType, data: unknown, id: number | undefined): void {
  switch (type) {
    case PacketType.CONNECT:
      if (data === undefined || isObject(data)) return;
      throw invalid("what a CONNECT says must be an object");
    case PacketType.DISCONNECT:
      if (data === undefined) return;
      throw invalid("a DISCONNECT says nothing");
    case PacketType.CONNECT_ERROR:
      if (typeof data === "string" || isObject(data)) return;
      throw invalid("what a CONNECT_ERROR says must be a string or an object");
    case PacketType.EVENT:
    case PacketType.BINARY_EVENT:
      checkEvent(data);
      return;
    case PacketType.ACK:
    case PacketType.BINARY_ACK:
      if (Array.isArray(data) && id !== undefined) return;
      throw invalid("an ACK must have the id of what it acknowledges, and an array of arguments");
  }
}

function checkEvent(data: unknown): void {
  const name: unknown = Array.isArray(data) ? data[0] : undefined;
  if (typeof name === "number" || (typeof name === "string" && !reservedEvents.has(name))) return;
  if (typeof name === "string") throw invalid(`the name of an event cannot be ${name}: it is reserved`);
  throw invalid("what an EVENT says must be an array that begins with the event's name");
}

function parseJson(text: string): unknown {
  if (isJsonDeeper(text, maxNesting)) throw tooDeep();
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw invalid("what a packet says must be JSON");
  }
}

/** The error of what is nested too deeply. */
export function tooDeep(): SocketIoError {
  return invalid(`what a packet says is nested deeper than ${maxNesting} levels`);
}

function endOfDigits(text: string, from: number): number {
  let end = from;
  while (text.charCodeAt(end) >= 0x30 && text.charCodeAt(end) <= 0x39) end++;
  return end;
}

/** NaN where there are no digits, or too many. */
function numberIn(text: string, from: number, to: number): number {
  return to === from || to - from > MAX_DIGITS ? Number.NaN : Number(text.slice(from, to));
}

function isPacketType(type: number): type is PacketType {
  return type >= 0 && type <= 6;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function invalid(message: string): SocketIoError {
  return new SocketIoError("packet_invalid", message);
}
