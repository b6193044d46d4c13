import assert from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { createHttp2Backend, type Http2Backend, type Metadata } from "@sluice/rpc";
import { frameMessages } from "../../src/wire/length-prefixed-message.ts";
import { open, Recording, run, say } from "./harness.ts";
import { answer, framed, grpcHeaders, startScriptedServer, type Script } from "./scripted-server.ts";

async function start(t: TestContext, script: Script): Promise<Http2Backend> {
  const server = await startScriptedServer(script);
  const backend = createHttp2Backend(server.address);
  t.after(async () => {
    await backend.close(0);
    await server.close();
  });
  return backend;
}

const hello = Buffer.from("0a0568656c6c6f", "hex");

/** Also tells which messages came compressed. */
class CompressedRecording extends Recording {
  readonly compressed: (boolean | undefined)[] = [];
  encoding: string | undefined;

  override headers(metadata: Metadata, encoding?: string): void {
    this.encoding = encoding;
    super.headers(metadata);
  }

  override message(bytes: Uint8Array, isCompressed?: boolean): void {
    this.compressed.push(isCompressed);
    super.message(bytes);
  }
}

describe("compressed messages", () => {
  test("leave as such with their encoding, beside others that are not", async (t) => {
    let asked: Record<string, unknown> = {};
    const received: Buffer[] = [];
    const backend = await start(t, (stream, headers) => {
      asked = headers;
      stream.on("data", (chunk: Buffer) => received.push(chunk));
      stream.on("end", () => answer(stream, framed(hello)));
    });
    const zipped = gzipSync(hello);
    const { call, heard } = open(backend, { ...say, kind: "client_streaming" }, { encoding: "gzip" });
    call.send(zipped, true);
    call.send(hello);
    call.halfClose();
    assert.equal((await heard.ended()).code, 0);
    assert.equal(asked["grpc-encoding"], "gzip");
    assert.deepEqual(Buffer.concat(received), Buffer.concat(frameMessages([zipped, hello], [1, 0])));
  });

  test("are offered to the backend and come as such", async (t) => {
    let offered: unknown;
    const zipped = gzipSync(hello);
    const backend = await start(t, (stream, headers) => {
      offered = headers["grpc-accept-encoding"];
      const body = Buffer.concat(frameMessages([zipped], [1]));
      answer(stream, body, undefined, { ...grpcHeaders, "grpc-encoding": "gzip" });
    });
    const heard = new CompressedRecording();
    const call = backend.open({ method: say, metadata: {}, acceptEncodings: ["gzip", "br"] }, heard);
    call.send(hello);
    call.halfClose();
    assert.equal((await heard.ended()).code, 0);
    assert.equal(offered, "identity,gzip,br");
    assert.equal(heard.encoding, "gzip");
    assert.deepEqual(heard.compressed, [true]);
    assert.deepEqual(gunzipSync(heard.messages[0] ?? hello), hello);
  });

  test("are refused in an encoding that this call did not offer", async (t) => {
    const backend = await start(t, (stream) =>
      answer(stream, framed(hello), undefined, { ...grpcHeaders, "grpc-encoding": "br" }),
    );
    const heard = await run(backend, say, [hello], { acceptEncodings: ["gzip"] });
    assert.equal(heard.status?.code, 13);
    assert.match(heard.status.message, /grpc-encoding br, which was not offered/);
  });

  test("are known to be taken once a response has said so", async (t) => {
    const backend = await start(t, (stream) =>
      answer(stream, framed(hello), undefined, {
        ...grpcHeaders,
        "grpc-accept-encoding": "identity, gzip,zstd",
      }),
    );
    assert.deepEqual([...(backend.acceptEncodings ?? [])], []);
    await run(backend, say, [hello]);
    assert.deepEqual([...(backend.acceptEncodings ?? [])], ["gzip", "zstd"]);
  });
});
