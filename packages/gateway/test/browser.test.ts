import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { create, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { type ScriptPage, startChromium, startScriptPage } from "@sluice/testkit";
import { build } from "esbuild";
import type { ConnectFindings, GrpcWebFindings } from "./browser/page.ts";
import { echoSchema, startTestGateway, type TestGateway } from "./support.ts";

/** Serves an empty page with the script on an origin of its own. */
async function startPage(): Promise<ScriptPage> {
  const bundle = await build({
    entryPoints: [fileURLToPath(new URL("browser/page.ts", import.meta.url))],
    bundle: true,
    write: false,
    format: "iife",
    platform: "browser",
    logLevel: "error",
  });
  return startScriptPage(bundle.outputFiles[0]?.text ?? "");
}

describe("in Chromium, from a page of another origin,", () => {
  let sluice: TestGateway;
  let chromium: Awaited<ReturnType<typeof startChromium>>;
  let page: ScriptPage;
  let options: string;
  let evaluate: <Result>(expression: string) => Promise<Result>;

  before(async () => {
    page = await startPage();
    sluice = await startTestGateway({ origin: [page.origin] });
    const { registry } = await echoSchema(sluice.echo);
    const file = [...registry.files].map(({ proto }) => proto);
    const set = toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file }));
    options = JSON.stringify({ baseUrl: sluice.http, descriptors: Buffer.from(set).toString("base64") });
    chromium = await startChromium();
    const tab = await chromium.newPage();
    await tab.goto(page.origin);
    evaluate = (expression) => tab.evaluate(expression);
  });
  after(async () => {
    await chromium.close();
    page.close();
    await sluice.close();
  });

  for (const dialect of ["connect", "grpc-web"]) {
    for (const isBinary of [true, false]) {
      test(`connect-web speaks ${dialect} with ${isBinary ? "protobuf" : "JSON"}`, async () => {
        const found = await evaluate<ConnectFindings>(
          `withConnectWeb(${options}, ${JSON.stringify(dialect)}, ${isBinary})`,
        );
        assert.deepEqual(found, {
          unary: [{ text: "hällo" }],
          stream: [{ text: "a" }, { text: "a", index: 1 }, { text: "a", index: 2 }],
          header: "1",
          trailer: "2",
          error: { code: 5, message: "no € such", details: 1, trailer: "so" },
          late: 4,
          cancelled: 1,
        });
        await sluice.echo.calls.until(({ open }) => open === 0);
      });
    }
  }

  for (const format of ["text", "binary"]) {
    test(`grpc-web speaks its ${format} format`, async () => {
      const found = await evaluate<GrpcWebFindings>(`withGrpcWeb(${options}, ${JSON.stringify(format)})`);
      assert.deepEqual(found, {
        unary: "0a026869",
        stream: format === "text" ? ["0a01611000", "0a01611001", "0a01611002"] : [],
        error: { code: 7, message: "no", trailer: "v" },
      });
    });
  }
});
