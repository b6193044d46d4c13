/** What the session wire needs to know of a message. */
interface Said {
  readonly data: string | Uint8Array;
  readonly isJson: boolean;
  readonly type: string;
  readonly from: number;
}

/** What the session wire needs to know of a publication. */
interface Published {
  readonly room: string;
  readonly message: Said;
  readonly epoch: string;
  readonly offset: number;
}

/** How a room was joined or returned to, as the client is told. */
export interface RoomReport {
  readonly room: string;
  /** Where the room is; absent where it keeps no history. */
  readonly epoch?: string;
  readonly offset?: number;
  /** False where the client had named a position, and not everything since is there. Absent with an error. */
  readonly recovered?: boolean;
  /** Why the client is not in the room. */
  readonly error?: CommandError;
}

/** Why a command was not obeyed: the name of a gRPC code, and a sentence. */
export interface CommandError {
  readonly code: string;
  readonly message: string;
}

/** What a client is told first. */
export interface ConnectedReport {
  readonly session: string;
  readonly number: number;
  readonly resumed: boolean;
  readonly recovered: boolean;
  readonly rooms: readonly RoomReport[];
  /** Seconds between the server's pings; 0 for none. */
  readonly pingSeconds: number;
}

/** Data as JSON: bytes as `{"base64":…}`, a text that is JSON as it is, and other text as a JSON string. */
export function jsonFromData({ data, isJson }: Pick<Said, "data" | "isJson">): string {
  if (typeof data !== "string") return `{"base64":"${base64From(data)}"}`;
  return isJson ? data : JSON.stringify(data);
}

/** `{"message":…}`: what was sent to this session alone. */
export function encodeMessage(message: Said): string {
  return `{"message":${jsonFromData(message)}${attributesOf(message)}}`;
}

/** `{"room":…}`: what was published to a room; with its epoch where the client does not know that yet. */
export function encodePublication({ room, message, epoch, offset }: Published, withEpoch: boolean): string {
  const place = epoch === "" ? "" : `,"offset":${offset}`;
  const era = withEpoch && epoch !== "" ? `,"epoch":${JSON.stringify(epoch)}` : "";
  return `{"room":${JSON.stringify(room)},"data":${jsonFromData(message)}${place}${era}${attributesOf(message)}}`;
}

/** `{"connected":…}`: the answer to `connect`. */
export function encodeConnected(report: ConnectedReport): string {
  return `{"connected":${JSON.stringify(report)}}`;
}

/** `{"id":…,"ok":…}`: a command was obeyed; `ok` is the text of a JSON object. */
export function encodeOk(id: number, ok: string): string {
  return `{"id":${id},"ok":${ok}}`;
}

/** `{"id":…,"error":…}`: a command was not obeyed. Without `id` where the client gave it none. */
export function encodeError(id: number | undefined, error: CommandError): string {
  return `{${id === undefined ? "" : `"id":${id},`}"error":${JSON.stringify(error)}}`;
}

/** `{"dropped":…}`: so many deliveries were not sent because the client reads too slowly. An empty room is left out. */
export function encodeDropped(count: number, room: string): string {
  return `{"dropped":${JSON.stringify(room === "" ? { count } : { room, count })}}`;
}

/** `{"lost":…}`: publications of the room did not come, and cannot be had any more. An empty room is left out. */
export function encodeLost(room: string): string {
  return `{"lost":${JSON.stringify(room === "" ? {} : { room })}}`;
}

function attributesOf({ type, from }: Said): string {
  return `${type === "" ? "" : `,"type":${JSON.stringify(type)}`}${from === 0 ? "" : `,"from":${from}`}`;
}

function base64From(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
}
