import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type EngineSession, Server } from "../src/index.ts";

type Answer = (...args: unknown[]) => void;

// The packages as scripts/setup unpacks them, beside the system's.
const packages = fileURLToPath(
  new URL("../../../.python-socketio/usr/lib/python3/dist-packages", import.meta.url),
);
const env = { ...process.env, PYTHONPATH: packages };
const python = ["/usr/bin/python3", "python3"].find(
  (each) => spawnSync(each, ["-c", "import socketio, requests, websocket"], { env }).status === 0,
);
const client = fileURLToPath(new URL("python/client.py", import.meta.url));

const skip =
  python === undefined &&
  "no python-socketio: run scripts/setup on Debian, or install it with its client's needs";

/** Loses all connections once a poll waits on one: between two polls nobody would notice. */
function losePoll(http: HttpServer, conn: EngineSession): void {
  if (conn.writable) http.closeAllConnections();
  else setImmediate(losePoll, http, conn);
}

describe("python-socketio", { skip, concurrency: true }, () => {
  for (const [transports, expected] of [
    ["polling", "polling"],
    ["websocket", "websocket"],
    ["polling,websocket", "websocket"],
  ] as const) {
    test(`connects by ${transports}, tells, is told, answers, is in rooms and comes back`, async (context) => {
      const http = createServer();
      const io = new Server(http);
      context.after(() => io.close());
      const reasons: string[] = [];
      const tokens: unknown[] = [];
      for (const namespace of [io.of("/"), io.of("/chat")]) {
        namespace.on("connection", (socket) => {
          tokens.push(socket.handshake.auth.token);
          socket.on("disconnect", (reason) => reasons.push(reason));
          socket.on("echo", (...args: unknown[]) => (args.pop() as Answer)(...args));
          socket.on("ask me", (answer: Answer) => {
            socket.emit("question", "why", (why: string, data: Buffer) => answer(why, data.toString("hex")));
          });
          socket.on("join", (room: string, answer: Answer) => {
            void socket.join(room);
            answer();
          });
          socket.on("tell", (room: string, data: unknown) => io.to(room).emit("told", data));
          socket.on("lose me", () => {
            if (expected === "websocket") socket.conn.close();
            else losePoll(http, socket.conn);
          });
        });
      }
      io.of("/denied").use((_socket, proceed) => {
        proceed(Object.assign(new Error("not today"), { data: { code: 7 } }));
      });
      await once(http.listen(0, "127.0.0.1"), "listening");
      const { port } = http.address() as AddressInfo;
      const url = `http://127.0.0.1:${port}`;
      const { stdout } = await promisify(execFile)(python!, [client, url, transports], {
        env,
        timeout: 60_000,
      });
      assert.deepEqual(JSON.parse(stdout), {
        connected: ["/", "/chat"],
        transport: expected,
        echo: ["one", { two: [3, null, true, "\u{1F600}"] }],
        elsewhere: "chat",
        bytes: true,
        large: true,
        answered: ["why", "0102"],
        text: "text",
        "room bytes": true,
        again: ["/", "/chat"],
        "echo again": "here",
        refused: { message: "not today", data: { code: 7 } },
      });
      assert.deepEqual(tokens, ["secret", "secret", "secret", "secret"]);
      // By polling, it may end before it has said that it goes.
      assert.ok(reasons.length >= 2);
      for (const reason of reasons.slice(0, 2))
        assert.match(reason, /^(forced close|transport (close|error))$/);
      for (const reason of reasons.slice(2))
        assert.match(reason, /^(client namespace disconnect|transport close)$/);
    });
  }
});
