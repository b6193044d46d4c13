import assert from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import {
  applyServiceConfig,
  createBalancedBackend,
  createHttp2Backend,
  ownSchema,
  reflectSchema,
  watchSchema,
  type Schema,
} from "@sluice/rpc";
import { startEchoServer, type EchoServer, type EchoServiceName } from "@sluice/testkit";
import { pino } from "pino";
import { createCallClient } from "../src/cli/call/create-call-client.ts";
import { createLogger, Gateway, type GatewayOptions, type UpstreamOptions } from "../src/index.ts";
import { send } from "./support.ts";

const echo = "sluice.test.v1.Echo";
const library = "sluice.test.v1.Library";

async function server(t: TestContext, service: EchoServiceName, port = 0): Promise<EchoServer> {
  const started = await startEchoServer({ services: [service], port });
  t.after(() => started.close());
  return started;
}

/** An upstream whose schema is had by reflection and followed. */
function reflected(name: string, address: string): UpstreamOptions {
  const backend = createBalancedBackend(address, { backoff: { initialMs: 10, maxMs: 10 } });
  const load = (): Promise<Schema> => reflectSchema(backend, { name });
  return {
    name,
    backend,
    loadSchema: load,
    follow: (schema, onSchema, onFailure) =>
      watchSchema({
        backend,
        load,
        schema,
        onConnected: (listener) => backend.onConnected(listener),
        onSchema,
        onFailure,
        settleMs: 1,
      }),
  };
}

/** Starts a gateway; answers its URL. */
async function start(
  t: TestContext,
  upstreams: readonly UpstreamOptions[],
  options: Partial<GatewayOptions> = {},
): Promise<string> {
  const gateway = new Gateway({ upstreams, log: createLogger("silent"), ...options });
  t.after(() => gateway.close(0));
  const { port } = await gateway.start("127.0.0.1", 0);
  return `http://127.0.0.1:${port}`;
}

/** A log, and a promise of the first message that has a text in it. */
function recordedLog(): { log: GatewayOptions["log"]; until: (text: RegExp) => Promise<string> } {
  const messages: string[] = [];
  let told: (() => void) | undefined;
  const log = pino(
    {
      level: "info",
      hooks: {
        logMethod(args, method) {
          messages.push(String(args.at(-1)));
          told?.();
          method.apply(this, args);
        },
      },
    },
    { write: () => undefined },
  );
  const until = async (text: RegExp): Promise<string> => {
    for (;;) {
      const found = messages.find((message) => text.test(message));
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => (told = resolve));
    }
  };
  return { log, until };
}

/** What the health service of a gateway says: of all with an empty name. */
async function health(url: string, service: string): Promise<string> {
  const schema = ownSchema();
  const method = schema.methods.get("/grpc.health.v1.Health/Check");
  assert.ok(method !== undefined);
  const client = createCallClient("grpc", { url: new URL(url), schema });
  const answer = await new Promise<string>((resolve) => {
    let reply = "";
    const call = client.open(
      { method, metadata: {} },
      {
        headers: () => undefined,
        message: (json) => (reply = (JSON.parse(json) as { status: string }).status),
        end: ({ code }) => resolve(code === 0 ? reply : String(code)),
      },
    );
    call.send(JSON.stringify({ service }));
    call.halfClose();
  });
  await client.close();
  return answer;
}

describe("several backends", () => {
  test("are served together, and shown together by reflection and OpenAPI", async (t) => {
    const [first, second] = [await server(t, echo), await server(t, library)];
    const url = await start(t, [reflected("one", first.address), reflected("two", second.address)], {
      reflection: true,
      openApi: true,
    });
    assert.deepEqual((await send(`${url}/v1/say/x`)).json, { text: "x" });
    assert.deepEqual((await send(`${url}/v1/books/x`)).json, { name: "x" });
    const connect = { "connect-protocol-version": "1" };
    assert.equal((await send(`${url}/${echo}/Say`, "POST", { text: "x" }, connect)).text, '{"text":"x"}');
    assert.equal((await send(`${url}/${library}/GetBook`, "POST", { name: "x" }, connect)).status, 200);
    assert.equal((await send(`${url}/${library}/Nothing`, "POST", {}, connect)).status, 404);
    assert.ok(first.calls.records.every(({ path }) => !path.includes("Library")));
    const { paths } = (await send(`${url}/openapi.json`)).json as { paths: object };
    assert.ok("/v1/say" in paths && "/v1/books/{name}" in paths);
    const backend = createHttp2Backend(url);
    const { methods } = await reflectSchema(backend);
    await backend.close(0);
    for (const path of [`/${echo}/Say`, `/${library}/GetBook`, "/grpc.health.v1.Health/Check"])
      assert.ok(methods.has(path), path);
    for (const service of ["", echo, library]) assert.equal(await health(url, service), "SERVING");
  });

  test("of which one is away at the start: the others serve, and it does once it is there", async (t) => {
    const first = await server(t, echo);
    const gone = await startEchoServer({ services: [library] });
    await gone.kill();
    const { log, until } = recordedLog();
    const url = await start(t, [reflected("one", first.address), reflected("two", gone.address)], { log });
    assert.deepEqual((await send(`${url}/v1/say/x`)).json, { text: "x" });
    assert.match(await until(/two gives no schema/), /two.*127\.0\.0\.1.*ECONNREFUSED.*trying again/);
    const refused = await send(`${url}/v1/books/x`);
    assert.equal(refused.status, 503);
    assert.match(refused.text, /"code":14.*two: .*ECONNREFUSED/);
    const connect = { "connect-protocol-version": "1" };
    const unknown = await send(`${url}/${library}/GetBook`, "POST", {}, connect);
    assert.deepEqual([unknown.status, (unknown.json as { code: string }).code], [503, "unavailable"]);
    // What is known to be nowhere, and what is bound to other methods, says so all the same.
    assert.equal((await send(`${url}/${echo}/Nothing`, "POST", {}, connect)).status, 404);
    assert.equal((await send(`${url}/v1/say/x`, "DELETE")).status, 405);
    assert.deepEqual([await health(url, ""), await health(url, library)], ["SERVING", "5"]);

    await server(t, library, gone.port);
    await until(/^two: \d+ methods/);
    assert.deepEqual((await send(`${url}/v1/books/x`)).json, { name: "x" });
    assert.equal((await send(`${url}/nothing`)).status, 404);
    assert.equal(await health(url, library), "SERVING");
  });

  test("of which one goes away: health tells of its services alone", async (t) => {
    const [first, second] = [await server(t, echo), await server(t, library)];
    const two = reflected("two", second.address);
    const { log, until } = recordedLog();
    const url = await start(t, [reflected("one", first.address), two], { log });
    await second.kill();
    assert.match(await until(/cannot be reached/), /^two cannot be reached \(.*ECONN.*\); trying again$/);
    assert.deepEqual(
      [await health(url, ""), await health(url, echo), await health(url, library)],
      ["SERVING", "SERVING", "NOT_SERVING"],
    );
    assert.equal((await send(`${url}/v1/say/x`)).status, 200);
    assert.equal((await send(`${url}/v1/books/x`)).status, 503);
    await server(t, library, second.port);
    await until(/^two can be reached again$/);
    assert.equal((await send(`${url}/v1/books/x`)).status, 200);
    assert.equal(await health(url, library), "SERVING");
  });

  test("with the same service are refused at the start, with the names of both", async (t) => {
    const [first, second] = [await server(t, echo), await server(t, echo)];
    const upstreams = [reflected("one", first.address), reflected("two", second.address)];
    await assert.rejects(start(t, upstreams), {
      code: "service_conflict",
      message: /the service sluice\.test\.v1\.Echo is in the schema of two backends, one and two; leave it/,
    });
  });

  test("with the same service later: it stays with the first, and the log says so", async (t) => {
    const first = await server(t, echo);
    const second = await startEchoServer({ services: [library] });
    const { log, until } = recordedLog();
    const two = reflected("two", second.address);
    const url = await start(t, [reflected("one", first.address), two], { log });
    await second.kill();
    const both = await startEchoServer({ services: [echo, library], port: second.port });
    t.after(() => both.close());
    await until(/is in the schema of two backends, one and two/);
    assert.equal((await send(`${url}/v1/say/x`)).status, 200);
    assert.equal((await send(`${url}/v1/books/x`)).status, 200);
    assert.ok(both.calls.records.every(({ path }) => !path.endsWith("/Say")));
  });

  test("with the same HTTP rule: the later one counts, and the log names both methods", async (t) => {
    const [first, second] = [await server(t, echo), await server(t, library)];
    const two = reflected("two", second.address);
    const rule = { selector: `${library}.GetBook`, get: "/v1/say/{name}" };
    const { log, until } = recordedLog();
    const upstreams = [
      reflected("one", first.address),
      {
        ...two,
        loadSchema: async () => applyServiceConfig(await two.loadSchema(), { http: { rules: [rule] } }),
      },
    ];
    const url = await start(t, upstreams, { log });
    assert.equal(
      await until(/has the same rule/),
      `an HTTP rule is left out: /${echo}/Say: GET /v1/say/{text}: /${library}/GetBook has the same rule, and the later one counts`,
    );
    assert.deepEqual((await send(`${url}/v1/say/x`)).json, { name: "x" });
  });
});
