import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { acceptInto, Hub, type Session } from "@sluice/hub";

const hub = new Hub();
const nameOf = (session: Session): string =>
  new URLSearchParams(session.request.query).get("name") ?? "Somebody";

hub.onConnect((session) => void hub.broadcast(`${nameOf(session)} has come`));
hub.onMessage((session, text) => void hub.broadcast(`${nameOf(session)}: ${text}`));
hub.onDisconnect((session) => void hub.broadcast(`${nameOf(session)} has gone`));

const page = `<!doctype html>
<html lang="en">
  <meta charset="utf-8">
  <title>Chat</title>
  <h1>Chat</h1>
  <ul id="lines"></ul>
  <form><input name="text" aria-label="What you say" autocomplete="off" autofocus required> <button>Say</button></form>
  <script>
    const name = prompt("Your name?") || "Somebody";
    const socket = new WebSocket(location.origin.replace("http", "ws") + "/?name=" + encodeURIComponent(name));
    socket.onmessage = ({ data }) =>
      document.getElementById("lines").append(Object.assign(document.createElement("li"), { textContent: data }));
    document.forms[0].onsubmit = ({ target }) => (socket.send(target.text.value), target.reset(), false);
  </script>
</html>`;

const server = createServer((_, response) => response.setHeader("content-type", "text/html").end(page));
server.on("upgrade", acceptInto(hub)).listen(Number(process.env["PORT"] ?? 8080), "127.0.0.1", () => {
  console.log(`Open this in two windows: http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
