import { ConnectError } from "@connectrpc/connect";
import { createTransport } from "@sluice/client/connect";
import { Chat } from "./chat.ts";
import { showConnection } from "./connection-view.ts";
import { find, findInput } from "./elements.ts";
import { clearMessages, showMessage, showNote, showPending } from "./message-list.ts";

const transport = createTransport({ url: "/" });
showConnection(transport.connection);
// A call would do that too; so the page shows at once whether the gateway is there.
transport.connection.connect();

let chat: Chat | undefined;

find("enter").addEventListener("submit", (event) => {
  event.preventDefault();
  void enter(findInput("room").value.trim(), findInput("name").value.trim());
});

find("say").addEventListener("submit", (event) => {
  event.preventDefault();
  const input = findInput("text");
  if (input.value.trim() !== "") chat?.say(input.value);
  input.value = "";
});

find("leave").addEventListener("click", () => chat?.leave());

async function enter(room: string, name: string): Promise<void> {
  clearMessages();
  find("title").textContent = room;
  find("members").textContent = "Entering…";
  setNotice("");
  setInside(true);
  chat = new Chat(transport, room, name, {
    message: (message) => {
      const { members } = message;
      find("members").textContent =
        members === 1 ? "You are alone here; open a second window." : `${members} are here.`;
      showMessage(message, name);
    },
    pending: showPending,
    interrupted: () => {
      find("members").textContent = "Away. What you say will be sent when the room is back.";
      showNote("You were cut off.");
    },
  });
  try {
    await chat.stay();
    setNotice("You have left.");
  } catch (error) {
    setNotice(`The room did not let you in: ${ConnectError.from(error).rawMessage}`, true);
  }
  setInside(false);
}

function setInside(isInside: boolean): void {
  find("enter").hidden = isInside;
  find("chat").hidden = !isInside;
  findInput(isInside ? "text" : "name").focus();
}

function setNotice(text: string, isError = false): void {
  const notice = find("notice");
  notice.textContent = text;
  notice.hidden = text === "";
  notice.classList.toggle("error", isError);
}
