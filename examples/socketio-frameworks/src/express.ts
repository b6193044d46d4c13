import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import express from "express";
import { Server } from "@sluice/socketio";
import { chat } from "./chat.ts";

const app = express();
app.get("/", (_request, response) => void response.send("Express"));

// Not app.listen(): Socket.IO wants the HTTP server too.
const http = createServer(app);
chat(new Server(http));
http.listen(Number(process.env["PORT"] ?? 8080), "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${(http.address() as AddressInfo).port}`);
});
