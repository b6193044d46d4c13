import { status, type ServerDuplexStream } from "@grpc/grpc-js";

/** What a client sends: its room and name in every message, a text in all but the first. */
export interface ChatRequest {
  readonly room: string;
  readonly name: string;
  readonly text: string;
}

/** What everyone in the room gets. */
export interface ChatMessage {
  readonly name: string;
  readonly text: string;
  readonly time: { readonly seconds: number; readonly nanos: number };
  readonly members: number;
  readonly kind: "SAID" | "JOINED" | "LEFT";
}

type Member = ServerDuplexStream<ChatRequest, ChatMessage>;

const rooms = new Map<string, Map<Member, string>>();

/** The handler of `Chat.Join`: one call is one member of one room, from its first message to its end. */
export function join(member: Member): void {
  let room: string | undefined;
  member.on("data", ({ room: into, name, text }: ChatRequest) => {
    if (room === undefined) {
      if (into === "") {
        member.emit("error", { code: status.INVALID_ARGUMENT, details: "the first message names no room" });
        return;
      }
      room = into;
      const members = rooms.get(room) ?? new Map<Member, string>();
      rooms.set(room, members.set(member, name === "" ? "Somebody" : name));
      tell(room, member, "JOINED", "");
    }
    if (text !== "") tell(room, member, "SAID", text);
  });
  const leave = (): void => {
    if (room === undefined || rooms.get(room)?.has(member) !== true) return;
    tell(room, member, "LEFT", "");
    rooms.get(room)?.delete(member);
    if (rooms.get(room)?.size === 0) rooms.delete(room);
  };
  member.on("end", () => {
    leave();
    member.end();
  });
  member.on("cancelled", leave);
  member.on("error", leave);
}

function tell(room: string, from: Member, kind: ChatMessage["kind"], text: string): void {
  const members = rooms.get(room) ?? new Map<Member, string>();
  const now = Date.now();
  const message: ChatMessage = {
    name: members.get(from) ?? "",
    text,
    time: { seconds: Math.floor(now / 1000), nanos: (now % 1000) * 1_000_000 },
    members: kind === "LEFT" ? members.size - 1 : members.size,
    kind,
  };
  for (const member of members.keys()) {
    if (kind !== "LEFT" || member !== from) member.write(message);
  }
}
