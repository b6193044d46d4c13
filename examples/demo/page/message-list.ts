import { timestampDate } from "@bufbuild/protobuf/wkt";
import { createElement, find } from "./elements.ts";
import { ChatMessage_Kind, type ChatMessage } from "./generated/demo_pb.js";

const list = find("messages");
let pendingItems: readonly HTMLElement[] = [];

/** Shows a message of the room, above what is still pending. */
export function showMessage(message: ChatMessage, ownName: string): void {
  const { name, text, kind, time } = message;
  if (kind !== ChatMessage_Kind.SAID) {
    showNote(`${name} has ${kind === ChatMessage_Kind.JOINED ? "come" : "gone"}.`);
    return;
  }
  const isOwn = name === ownName;
  const item = createElement("li", "", isOwn ? "own" : "");
  if (!isOwn) item.append(createElement("strong", name));
  item.append(text);
  if (time !== undefined) {
    const date = timestampDate(time);
    const clock = createElement("time", date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }));
    clock.setAttribute("datetime", date.toISOString());
    item.append(clock);
  }
  add(item);
}

/** Shows a line that nobody said. */
export function showNote(text: string): void {
  add(createElement("li", text, "note"));
}

/** Shows what was said here and has not come back from the room yet. */
export function showPending(texts: readonly string[]): void {
  for (const item of pendingItems) item.remove();
  pendingItems = texts.map((text) => createElement("li", text, "pending"));
  list.append(...pendingItems);
  list.scrollTop = list.scrollHeight;
}

/** Forgets everything. */
export function clearMessages(): void {
  list.replaceChildren();
  pendingItems = [];
}

function add(item: HTMLElement): void {
  list.insertBefore(item, pendingItems[0] ?? null);
  list.scrollTop = list.scrollHeight;
}
