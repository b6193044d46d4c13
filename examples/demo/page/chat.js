// The whole client: a WebSocket on the URL of the gRPC method, JSON messages, an empty message to say goodbye.
const find = (id) => document.getElementById(id);
const { enter, chat, say, state, messages } = Object.fromEntries(
  ["enter", "chat", "say", "state", "messages"].map((id) => [id, find(id)]),
);
let socket;

enter.addEventListener("submit", (event) => {
  event.preventDefault();
  const name = find("name").value;
  const url = new URL(`/v1/rooms/${encodeURIComponent(find("room").value)}/chat`, location.href);
  url.protocol = url.protocol.replace("http", "ws");
  socket = new WebSocket(url);
  socket.addEventListener("open", () => {
    socket.send(JSON.stringify({ name }));
    enter.hidden = true;
    chat.hidden = false;
    find("text").focus();
  });
  socket.addEventListener("message", ({ data }) => show(JSON.parse(data)));
  socket.addEventListener("close", ({ code, reason }) => {
    state.textContent = code === 1000 ? "You have left." : `The connection has ended (${code} ${reason}).`;
    enter.hidden = false;
    say.hidden = true;
  });
  say.hidden = false;
});

say.addEventListener("submit", (event) => {
  event.preventDefault();
  const text = find("text");
  if (text.value !== "") socket.send(JSON.stringify({ text: text.value }));
  text.value = "";
});

// An empty message is the half-close: the server ends the call, and the socket closes with 1000.
find("leave").addEventListener("click", () => socket.send(""));

function show({ result, error }) {
  if (error !== undefined) {
    state.textContent = `${error.message} (code ${error.code})`;
    return;
  }
  const { name, text, time, members, kind } = result;
  state.textContent = members === 1 ? "You are alone here; open a second window." : `${members} are here.`;
  const item = document.createElement("li");
  if (kind === "SAID") {
    const who = document.createElement("strong");
    who.textContent = name;
    const when = document.createElement("time");
    when.dateTime = time;
    when.textContent = new Date(time).toLocaleTimeString();
    item.append(who, ` ${text}`, when);
  } else {
    item.className = "note";
    item.textContent = `${name} has ${kind === "JOINED" ? "come" : "gone"}.`;
  }
  messages.append(item);
  messages.scrollTop = messages.scrollHeight;
}
