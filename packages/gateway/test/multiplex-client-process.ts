/**
 * A client in a process of its own, to be killed: forked with the URL of a gateway. It opens calls of all kinds on a socket
 * with many calls and on sockets with one each, and says so when each of them is in the middle of its messages.
 */
import { once } from "node:events";
import { WebSocket } from "ws";
import { MultiplexClient, until } from "./multiplex-client.ts";

const [url = ""] = process.argv.slice(2);
const echo = (name: string): string => `sluice.test.v1.Echo/${name}`;
const mebibyte = Buffer.alloc(1024 * 1024, "x");

const client = await MultiplexClient.connect(url);
const calls = ["Repeat", "Send", "Converse", "Sleep"].map((name) => {
  const open = client.open({ method: echo(name), encoding: "json" });
  open.call.send(Buffer.from(name === "Send" ? '{"size":65536,"count":100000}' : '{"text":"endless"}'));
  if (name !== "Converse") open.call.halfClose();
  return open;
});
// The fourth answers nothing. What comes of the others is left unread when this process is killed.
const answering = calls.slice(0, 3);

const upload = client.open({ method: echo("Receive") });
// A protobuf message {data: …} of a mebibyte; most of it waits for credit.
const message = Buffer.concat([Buffer.from("0a808040", "hex"), mebibyte]);
for (let sent = 0; sent < 50; sent++) upload.call.send(message);

const sockets = await Promise.all(
  ["Repeat", "Converse", "Collect"].map(async (name) => {
    const socket = new WebSocket(`${url}/${echo(name)}`, ["grpc-websockets"]);
    await once(socket, "open");
    socket.send(Buffer.from("content-type: application/grpc-web+proto\r\n"));
    // {text: "endless"}, and the beginning of another message.
    socket.send(Buffer.from("0000000000090a07656e646c657373", "hex"));
    socket.send(Buffer.from(name === "Repeat" ? "01" : "00000000ffff0a", "hex"));
    return { socket, name };
  }),
);
await Promise.all(
  sockets.filter(({ name }) => name !== "Collect").map(({ socket }) => once(socket, "message")),
);
await until(() => answering.every(({ messages }) => messages.length > 0), "each call is answered");
process.send?.(calls.length + 1 + sockets.length);
