import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createHttp2Backend, ownSchema, reflectSchema, type Schema } from "@sluice/rpc";
import { createCallClient } from "../src/cli/call/create-call-client.ts";
import { send, startTestGateway, type TestGateway } from "./support.ts";

let sluice: TestGateway;
let closed: TestGateway;
before(async () => {
  sluice = await startTestGateway({ reflection: true, openApi: true });
  closed = await startTestGateway();
});
after(async () => {
  await sluice.close();
  await closed.close();
});

async function check(gateway: TestGateway, service: string): Promise<{ code: number; replies: string[] }> {
  const schema: Schema = ownSchema();
  const method = schema.methods.get("/grpc.health.v1.Health/Check");
  assert.ok(method !== undefined);
  const client = createCallClient("grpc", { url: new URL(gateway.http), schema });
  const replies: string[] = [];
  const code = await new Promise<number>((resolve) => {
    const call = client.open(
      { method, metadata: {} },
      {
        headers: () => undefined,
        message: (json) => replies.push(json),
        end: (status) => resolve(status.code),
      },
    );
    call.send(JSON.stringify({ service }));
    call.halfClose();
  });
  await client.close();
  return { code, replies };
}

describe("the gateway's own services", () => {
  test("tell how it is, and how the services are that it serves", async () => {
    for (const service of ["", "sluice.test.v1.Echo"]) {
      assert.deepEqual(await check(sluice, service), { code: 0, replies: ['{"status":"SERVING"}'] });
    }
    assert.equal((await check(sluice, "a.B")).code, 5);
  });

  test("tell the schema of the backend by reflection, where that is allowed", async () => {
    const backend = createHttp2Backend(sluice.http);
    const schema = await reflectSchema(backend);
    assert.ok(schema.methods.has("/sluice.test.v1.Echo/Say"));
    assert.ok(schema.methods.has("/grpc.health.v1.Health/Check"));
    await backend.close(0);
  });

  test("do not tell it to strangers by default", async () => {
    const backend = createHttp2Backend(closed.http);
    await assert.rejects(reflectSchema(backend), { code: "reflection_unsupported" });
    await backend.close(0);
    assert.equal((await send(`${closed.http}/openapi.json`)).status, 404);
  });

  test("answer the OpenAPI document, where that is allowed", async () => {
    const answer = await send(`${sluice.http}/openapi.json`);
    assert.equal(answer.headers.get("content-type"), "application/json");
    assert.equal((answer.json as { openapi: string }).openapi, "3.1.1");
  });
});
