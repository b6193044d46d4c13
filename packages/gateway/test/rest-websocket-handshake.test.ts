import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { startChromium } from "@sluice/testkit";
import { WebSocket } from "ws";
import { converse, startTestGateway, type TestGateway } from "./support.ts";

let sluice: TestGateway;
before(async () => {
  sluice = await startTestGateway();
});
after(() => sluice.close());

/** How a handshake was refused. */
async function refusal(
  path: string,
  protocols: readonly string[] = [],
  options: { readonly origin?: string; readonly headers?: Record<string, string> } = {},
): Promise<{ status: number | undefined; message: string }> {
  const socket = new WebSocket(sluice.ws + path, [...protocols], options);
  const [, response] = (await once(socket, "unexpected-response")) as [
    unknown,
    AsyncIterable<Buffer> & { statusCode?: number },
  ];
  let text = "";
  for await (const chunk of response) text += chunk.toString();
  const { message = text } = text.startsWith("{") ? (JSON.parse(text) as { message?: string }) : {};
  return { status: response.statusCode, message };
}

type Received = Readonly<Record<string, readonly string[]>>;

/** The metadata that the backend got of a call that was opened so. */
async function metadataOf(
  protocols: readonly string[],
  headers: Record<string, string> = {},
): Promise<Received> {
  const { messages } = await converse(`${sluice.ws}/sluice.test.v1.Echo/Metadata`, ["{}"], {
    protocols,
    headers,
  });
  const message = messages.find((each) => !("headers" in (each as object)));
  const { result = message } = message as { result?: unknown };
  const { metadata } = result as { metadata: Record<string, { values: string[] }> };
  return Object.fromEntries(Object.entries(metadata).map(([name, { values }]) => [name, values]));
}

const kubernetes = (token: string): string =>
  `base64url.bearer.authorization.k8s.io.${Buffer.from(token).toString("base64url")}`;

describe("the target", () => {
  test("that is unknown, or bound to another method, is refused as HTTP", async () => {
    for (const [path, status] of [
      ["/nowhere", 404],
      ["/v1/say?method=DELETE", 405],
      ["/v1/say/%ff", 400],
      ["/v1/say?method=POST&x=%ff", 400],
    ] as const) {
      assert.equal((await refusal(path)).status, status);
    }
  });

  test("may name its method in lower case, and the parameter is no field of the request", async () => {
    const { messages } = await converse(`${sluice.ws}/v1/say?method=post`, ['{"text":"x"}']);
    assert.deepEqual(messages, [{ text: "x" }]);
  });

  test("may have a deadline, in Grpc-Timeout", async () => {
    const sleep = "/sluice.test.v1.Echo/Sleep";
    const { code } = await converse(sluice.ws + sleep, ["{}"], { headers: { "grpc-timeout": "20m" } });
    assert.equal(code, 4004);
    assert.equal((await refusal(sleep, [], { headers: { "grpc-timeout": "soon" } })).status, 400);
  });

  test("is refused to a page of another origin", async () => {
    assert.equal((await refusal("/v1/say", [], { origin: "https://evil.example" })).status, 403);
  });
});

describe("the token of a client", () => {
  for (const [title, protocols, headers, authorization] of [
    ["after the subprotocol Bearer", ["Bearer", "abc.def"], {}, "Bearer abc.def"],
    ["in the cookie `token`", [], { cookie: "a=b; token=t1" }, "Bearer t1"],
    [
      "in the cookie, which wins over the subprotocol",
      ["Bearer", "abc"],
      { cookie: "token=t1" },
      "Bearer t1",
    ],
    [
      "in the cookie, which wins over the header",
      [],
      { cookie: "token=t1", authorization: "Basic x" },
      "Bearer t1",
    ],
    ["in the header", [], { authorization: "Basic x" }, "Basic x"],
    ["in base64url, as for Kubernetes", [kubernetes("a/b=="), "sluice.rest.v1"], {}, "Bearer a/b=="],
  ] as const) {
    test(`is authorization: ${title}`, async () => {
      const metadata = await metadataOf(protocols, headers);
      assert.deepEqual(metadata["authorization"], [authorization]);
      // Where backends of grpc-gateway look for it too.
      assert.deepEqual(metadata["grpcgateway-authorization"], [authorization]);
    });
  }

  test("may be as large as identity providers make them, up to the limit of a request's head", async () => {
    const token = "x".repeat(16 * 1024);
    assert.deepEqual((await metadataOf(["Bearer", token]))["authorization"], [`Bearer ${token}`]);
    assert.deepEqual((await metadataOf([], { cookie: `token=${token}` }))["authorization"], [
      `Bearer ${token}`,
    ]);
    assert.equal((await refusal("/v1/say", ["Bearer", "x".repeat(64 * 1024)])).status, 431);
  });

  test("is refused where it is malformed, or where there is nothing to answer", async () => {
    const encoded = "base64url.bearer.authorization.k8s.io.";
    for (const [protocols, message] of [
      [[`${encoded}a~b`, "x"], /base64url/],
      [[encoded, "x"], /base64url/],
      [[kubernetes("two words"), "x"], /base64url/],
      [[kubernetes("abc")], /offer another one/],
      [[kubernetes("abc"), kubernetes("def"), "x"], /more than one/],
      [["Bearer", "abc", kubernetes("def")], /more than one/],
      [["sluice.v1", `${encoded}a~b`], /base64url/],
    ] as const) {
      const refused = await refusal("/v1/say", protocols);
      assert.equal(refused.status, 400);
      assert.match(refused.message, message);
    }
  });
});

describe("headers of the handshake", () => {
  test("are metadata as in REST; those of the WebSocket, and all that REST does not know, stay here", async () => {
    const metadata = await metadataOf(["Bearer", "abc"], {
      origin: sluice.http,
      referer: `${sluice.http}/page`,
      "user-agent": "an agent",
      "grpc-metadata-x-tenant": "blue",
      "x-unknown": "y",
      "x-forwarded-for": "192.0.2.1",
    });
    const names = Object.keys(metadata).filter(
      (name) => !/^(grpc-accept-encoding|accept-encoding|user-agent)$/.test(name),
    );
    assert.deepEqual(names.toSorted(), [
      "authorization",
      "grpcgateway-authorization",
      "grpcgateway-origin",
      "grpcgateway-referer",
      "grpcgateway-user-agent",
      "x-forwarded-for",
      "x-forwarded-host",
      "x-tenant",
    ]);
    assert.deepEqual(metadata["grpcgateway-origin"], [sluice.http]);
    assert.deepEqual(metadata["x-forwarded-for"], ["192.0.2.1, 127.0.0.1"]);
  });

  test("may be subprotocols, as pages send macaroons to lnd; a header counts more", async () => {
    const protocols = ["Grpc-Metadata-Macaroon+0201abcd"];
    assert.deepEqual((await metadataOf(protocols))["macaroon"], ["0201abcd"]);
    const both = await metadataOf(protocols, { "grpc-metadata-macaroon": "ffff" });
    assert.deepEqual(both["macaroon"], ["ffff"]);
    const forwarded = await metadataOf([
      "Grpc-Metadata-X-Forwarded-For+10.0.0.1",
      "Grpc-Metadata-Grpc-Timeout+1H",
    ]);
    assert.deepEqual(forwarded["x-forwarded-for"], ["127.0.0.1"]);
  });
});

describe("sluice.rest.v1", () => {
  test("makes messages of headers, status and trailers", async () => {
    const { messages, code } = await converse(
      `${sluice.ws}/sluice.test.v1.Echo/Metadata`,
      [JSON.stringify({ headers: { "a-header": "h" }, trailers: { "a-trailer": "t" } })],
      { protocols: ["sluice.rest.v1"] },
    );
    const [headers, result, end] = messages as [
      { headers: Record<string, string> },
      { result: unknown },
      { status: unknown; trailers: Record<string, string> },
    ];
    assert.equal(headers.headers["a-header"], "h");
    assert.ok("result" in result);
    assert.deepEqual(end.status, { code: 0, message: "OK", details: [] });
    assert.equal(end.trailers["a-trailer"], "t");
    assert.equal(code, 1000);
  });
});

test("Chromium takes the answer to each way of sending a token", async () => {
  const chromium = await startChromium();
  const page = await chromium.newPage();
  await page.goto(`${sluice.http}/v1/say/a-page-of-this-origin`);
  const offers = [
    ["Bearer", "abc"],
    ["sluice.rest.v1", "Bearer", "abc"],
    [kubernetes("abc"), "base64.binary.k8s.io"],
    ["sluice.rest.v1", kubernetes("abc")],
    ["Grpc-Metadata-Macaroon+0201abcd"],
    ["sluice.rest.v1", "Grpc-Metadata-Macaroon+0201abcd"],
  ];
  // Text, because it runs in the page as it stands.
  const selected = await page.evaluate<unknown>(`Promise.all(
    ${JSON.stringify(offers)}.map((offered) => new Promise((resolve, reject) => {
      const socket = new WebSocket("ws://" + location.host + "/v1/say", offered);
      socket.onopen = () => resolve(socket.protocol);
      socket.onerror = () => reject(new Error("no WebSocket for " + offered));
    })),
  )`);
  assert.deepEqual(selected, [
    "Bearer",
    "sluice.rest.v1",
    "base64.binary.k8s.io",
    "sluice.rest.v1",
    "Grpc-Metadata-Macaroon+0201abcd",
    "sluice.rest.v1",
  ]);
  await chromium.close();
});
