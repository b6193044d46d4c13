import fastify from "fastify";
import { Server } from "@sluice/socketio";
import { chat } from "./chat.ts";

const app = fastify();
app.get("/", () => "Fastify");

const io = new Server(app.server);
chat(io);
// Fastify waits for all connections when it is closed.
app.addHook("preClose", () => io.close());
console.log(await app.listen({ port: Number(process.env["PORT"] ?? 8080), host: "127.0.0.1" }));
