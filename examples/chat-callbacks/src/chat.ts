// The logic of the chat: what comes of a session that begins, says something, and ends. It keeps nothing itself: the name
// of a session is in the state that the gateway keeps with it.
import type {
  ConnectRequest,
  ConnectResponse,
  DisconnectRequest,
  DisconnectResponse,
  Effect,
  MessageRequest,
  MessageResponse,
} from "./session-handler.ts";

/** The one room of this chat. */
const room = "lobby";

/** What the page shows: a line, and who said it; nobody where the chat itself did. */
function line(text: string, name?: string): { readonly text: string } {
  return { text: JSON.stringify({ text, ...(name !== undefined && { name }) }) };
}

function tellAll(text: string, name?: string): Effect {
  return { publish: { room, payload: line(text, name) } };
}

/** Lets everyone in who has a name. */
export function connect({ session }: ConnectRequest): ConnectResponse {
  const { name = "" } = session.query;
  if (name === "") return { deny: { code: 4400, reason: "say who you are: /ws?name=Ann" } };
  return { effects: [{ setState: { set: { name } } }, { join: { room } }, tellAll(`${name} has come`)] };
}

/** Tells all what one says; but `/remind 10 tea` has the chat say "tea" to this one in ten seconds, by `remind`. */
export function message(
  { session, payload }: MessageRequest,
  remind: (session: string, seconds: number, payload: { readonly text: string }) => void,
): MessageResponse {
  const { text = "" } = payload;
  const [, seconds, what] = /^\/remind (\d+) (.+)$/s.exec(text) ?? [];
  if (what === undefined) return { effects: [tellAll(text, session.state["name"])] };
  remind(session.id, Number(seconds), line(`Remember: ${what}`));
  return { effects: [{ send: { payload: line(`You will be reminded in ${seconds} seconds.`) } }] };
}

/** Tells all who has gone. */
export function disconnect({ session }: DisconnectRequest): DisconnectResponse {
  return { effects: [tellAll(`${session.state["name"] ?? "Somebody"} has gone`)] };
}
