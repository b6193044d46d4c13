import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readdirSync, readlinkSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect as connectHttp2 } from "node:http2";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { send, startTestGateway, type TestGateway } from "./support.ts";

let folder: string;
let sluice: TestGateway;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-files-"));
  await mkdir(join(folder, ".git"));
  await mkdir(join(folder, ".well-known"));
  await writeFile(join(folder, "index.html"), "<h1>Hello</h1>");
  await writeFile(join(folder, ".env"), "SECRET=1");
  await writeFile(join(folder, ".git/config"), "secret");
  await writeFile(join(folder, ".well-known/security.txt"), "public");
  await writeFile(join(folder, "large.bin"), Buffer.alloc(16 * 1024 * 1024));
  sluice = await startTestGateway({ files: folder });
});
after(async () => {
  await sluice.close();
  await rm(folder, { recursive: true });
});

test("a range is passed over, also one that ends before it begins", async () => {
  for (const range of ["bytes=5-2", "bytes=-3", "bytes=99-", "nonsense"]) {
    const answer = await send(`${sluice.http}/`, "GET", undefined, { range });
    assert.deepEqual([answer.status, answer.text], [200, "<h1>Hello</h1>"], range);
  }
});

test("files whose names begin with a dot are hidden, but for .well-known", async () => {
  for (const path of ["/.env", "/%2eenv", "/.git/config", "/.git%2fconfig", "/%00"]) {
    assert.equal((await send(sluice.http + path)).status, 404, path);
  }
  assert.equal((await send(`${sluice.http}/.well-known/security.txt`)).text, "public");
});

test("files are served over HTTP/2, to HEAD too", async () => {
  const session = connectHttp2(sluice.http);
  for (const method of ["GET", "HEAD"]) {
    const stream = session.request({ ":path": "/index.html", ":method": method });
    let text = "";
    stream.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    const [headers] = (await once(stream, "response")) as [Record<string, unknown>];
    assert.deepEqual([headers[":status"], headers["content-length"]], [200, "14"]);
    await once(stream, "close");
    assert.equal(text, method === "GET" ? "<h1>Hello</h1>" : "");
  }
  session.destroy();
});

test("a file that cannot be read ends its own response only", async () => {
  const unreadable = createServer().listen(join(folder, "a.socket"));
  await once(unreadable, "listening");
  await assert.rejects(send(`${sluice.http}/a.socket`));
  assert.equal((await send(`${sluice.http}/`)).status, 200);
  unreadable.close();
});

function isLargeOpen(): boolean {
  return readdirSync("/proc/self/fd").some((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).endsWith("/large.bin");
    } catch {
      return false;
    }
  });
}

test("a client that leaves closes the file", { skip: !existsSync("/proc/self/fd") }, async () => {
  const socket = connect(sluice.port, "127.0.0.1");
  socket.write("GET /large.bin HTTP/1.1\r\nhost: x\r\n\r\n");
  await once(socket, "data");
  assert.equal(isLargeOpen(), true);
  socket.destroy();
  while (isLargeOpen()) await send(`${sluice.http}/v1/say/x`);
});
