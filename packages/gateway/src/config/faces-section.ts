import { z } from "zod";
import { methodName } from "./backend-section.ts";
import { flag, oneOf, size, textLike } from "./value-types.ts";

/** What the WebSockets of the face `websocket` speak. */
export type WebSocketProtocol = "raw" | "session";

/** The wires on which clients hold sessions. */
export interface FacesSection {
  readonly websocket?:
    | { readonly path: string; readonly protocols: readonly WebSocketProtocol[] }
    | undefined;
  readonly packet?: PacketSection | undefined;
  readonly sse?: { readonly path: string } | undefined;
  readonly socketio?: SocketIoSection | undefined;
}

/** Nested binary packets. */
export interface PacketSection {
  /** Undefined: on the path of the face `websocket`, told by the subprotocol. */
  readonly path?: string | undefined;
  /** Methods by the type of the packets that call them, in decimal. */
  readonly types: Readonly<Record<string, string>>;
}

/** Clients of Socket.IO. */
export interface SocketIoSection {
  readonly path: string;
  readonly revisions: readonly (3 | 4)[];
  readonly namespaces: readonly string[];
  /** Bytes. */
  readonly maxPayload: number;
  readonly recovery: boolean;
}

/** The type of the packets that tell of a refusal (docs/sessions.md). */
const refusedPacketType = 0xffff_ffff;
const packetTypeForm = "must be the type of a packet, a number from 1 to 4294967294";

function facePath(): z.ZodType<string, string> {
  return textLike(
    /^(?:\/[\w.~!$&'()*+,;=:@-]+)+$/,
    "must be a path as in /ws, without a query, without a slash at its end and without escapes",
  );
}

/** The faces. */
export const facesSchema: z.ZodType<FacesSection> = z.strictObject({
  websocket: z
    .strictObject({
      path: facePath().describe("Where WebSockets are opened."),
      protocols: z
        .array(oneOf(["raw", "session"]))
        .min(1, { error: "is an empty list" })
        .prefault(["raw", "session"])
        .describe(
          "raw: messages as they are, for clients that offer no subprotocol; session: sluice.session.v1.",
        ),
    })
    .optional()
    .describe("Sessions on WebSockets, with raw messages or the session wire."),
  packet: z
    .strictObject({
      path: facePath()
        .optional()
        .describe(
          "Where WebSockets are opened. Default: the path of faces.websocket, by the subprotocol sluice.packet.v1.",
        ),
      types: z
        .record(
          textLike(/^[1-9]\d{0,9}$/, packetTypeForm).refine((type) => Number(type) < refusedPacketType, {
            error: packetTypeForm,
          }),
          methodName(),
        )
        .prefault({})
        .describe(
          "The methods that packets of a type call; packets of other types go to the Message callback.",
        ),
    })
    .optional()
    .describe("Sessions on WebSockets with nested binary packets."),
  sse: z
    .strictObject({
      path: facePath().describe("Where events are read with GET, and messages sent with POST."),
    })
    .optional()
    .describe("Sessions on Server-Sent Events."),
  socketio: z
    .strictObject({
      path: facePath()
        .prefault("/socket.io")
        .describe("Where clients connect; they add a slash and a query."),
      revisions: z
        .array(z.union([z.literal(3), z.literal(4)], { error: "must be 3 or 4" }))
        .refine((revisions) => revisions.includes(4), { error: "must have 4, which newer clients speak" })
        .prefault([4])
        .describe("The revisions of Engine.IO: 4 for clients 3.x and 4.x, 3 for clients 2.x."),
      namespaces: z
        .array(
          textLike(
            /^\/[^*?,\s]*\*?$/,
            "must begin with a slash, as in /chat, and may end in *, as in /room-*",
          ),
        )
        .min(1, { error: "is an empty list" })
        .prefault(["/"])
        .describe("The namespaces that clients may join; one that ends in * is all that begin so."),
      maxPayload: size()
        .prefault("1MB")
        .describe(
          "Bytes of one POST, or of one WebSocket message, of a client. Over it: 413, or closed with 1009.",
        ),
      recovery: flag()
        .prefault(false)
        .describe(
          "Whether a client that loses its connection is given back its session and what it missed; events have one more argument then.",
        ),
    })
    .optional()
    .describe("Sessions of clients of Socket.IO."),
});
