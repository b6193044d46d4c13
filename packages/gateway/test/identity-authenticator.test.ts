import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import {
  connect as connectHttp2,
  createServer as createHttp2Server,
  type Http2ServerRequest,
} from "node:http2";
import { connect, type AddressInfo } from "node:net";
import { afterEach, describe, test } from "node:test";
import { FakeClock } from "@sluice/testkit/fake-clock";
import {
  createAuthenticator,
  type Authentication,
  type Authenticator,
} from "../src/identity/authenticator.ts";
import { IdentityError, type IdentityErrorCode } from "../src/identity/identity-error.ts";
import type { IdentityOptions } from "../src/identity/identity-options.ts";
import { createLogger } from "../src/log.ts";
import { failsWith, start, makeToken, startSecond } from "./identity-support.ts";

const secret = "a secret of thirty-two bytes and more";
const token = makeToken({ alg: "HS256" }, { sub: "ada", exp: startSecond + 60 }, Buffer.from(secret));
const expired = makeToken({ alg: "HS256" }, { sub: "ada", exp: startSecond - 60 }, Buffer.from(secret));

function create(options: Partial<IdentityOptions> = {}): Promise<Authenticator> {
  // A logger of pino is a log for identity.
  const environment = { clock: new FakeClock(start), log: createLogger("silent") };
  return createAuthenticator({ jwt: { secret }, ...options }, environment);
}

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** What becomes of requests that are sent as they stand to a server of Node. */
async function ask(authenticator: Authenticator, ...head: readonly string[]): Promise<Authentication> {
  const server = createServer();
  const arrived = Promise.race([once(server, "request"), once(server, "upgrade")]);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  ends.push(() => {
    socket.destroy();
    server.close();
    server.closeAllConnections();
  });
  socket.write([...head, "host: x", "", ""].join("\r\n"));
  const [request] = (await arrived) as [IncomingMessage];
  return authenticator.authenticate(request);
}

const upgrade = ["GET /ws HTTP/1.1", "connection: upgrade", "upgrade: websocket"];

describe("a client is identified", () => {
  test("by its header", async () => {
    const authentication = await ask(await create(), "GET / HTTP/1.1", `Authorization: Bearer ${token}`);
    assert.deepEqual(authentication, {
      kind: "identified",
      identity: {
        user: "ada",
        claims: { sub: "ada", exp: startSecond + 60 },
        expiresAt: (startSecond + 65) * 1000,
      },
      protocols: [],
    });
  });

  test("by the subprotocols of its WebSocket, of which none with the token is answered", async () => {
    const hidden = `base64url.bearer.authorization.k8s.io.${Buffer.from(token).toString("base64url")}`;
    for (const [offered, protocols] of [
      [`Bearer, ${token}`, ["Bearer"]],
      [`sluice.packet.v1, ${hidden}`, ["sluice.packet.v1"]],
    ] as const) {
      const authentication = await ask(await create(), ...upgrade, `Sec-WebSocket-Protocol: ${offered}`);
      assert.equal(authentication.kind, "identified");
      assert.deepEqual(authentication.protocols, protocols);
    }
  });

  test("over HTTP/2", async () => {
    const authenticator = await create({ from: ["query"] });
    const server = createHttp2Server();
    const arrived = once(server, "request");
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const session = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    ends.push(() => {
      session.destroy();
      server.close();
    });
    session.request({ ":path": `/ws?access_token=${token}` }).on("error", () => undefined);
    const [request] = (await arrived) as [Http2ServerRequest];
    assert.equal((await authenticator.authenticate(request)).kind, "identified");
  });

  test("by its first message, and by one that refreshes", async () => {
    const authenticator = await create({ from: ["header", { message: "jwt" }] });
    const { kind } = await ask(authenticator, ...upgrade, "sec-websocket-protocol: chat");
    assert.equal(kind, "awaiting_message");
    assert.equal((await authenticator.authenticateMessage(token)).user, "ada");
    assert.equal((await authenticator.authenticateMessage(JSON.stringify({ jwt: token }))).user, "ada");
    await assert.rejects(authenticator.authenticateMessage("{}"), failsWith("malformed"));
    await assert.rejects(authenticator.authenticateMessage(expired), failsWith("expired"));
  });

  test("by the request, where messages would do too", async () => {
    const authenticator = await create({ from: ["message", "header"] });
    assert.equal((await ask(authenticator, ...upgrade, `authorization: Bearer ${token}`)).kind, "identified");
  });

  test("by none, where none is required", async () => {
    const authenticator = await create({ required: false });
    assert.deepEqual(await ask(authenticator, ...upgrade, "sec-websocket-protocol: chat"), {
      kind: "anonymous",
      protocols: ["chat"],
    });
  });
});

describe("a client is refused", () => {
  const cases: [string, Partial<IdentityOptions>, readonly string[], IdentityErrorCode][] = [
    ["without a token", {}, [], "missing"],
    ["with an empty header", {}, ["authorization:"], "missing"],
    ["with a token that has expired", {}, [`authorization: Bearer ${expired}`], "expired"],
    [
      "with a token that has expired, where none is required",
      { required: false },
      [`authorization: Bearer ${expired}`],
      "expired",
    ],
    [
      "with a token that has expired, before a good one in another place",
      { from: ["header", "cookie"] },
      [`authorization: Bearer ${expired}`, `cookie: token=${token}`],
      "expired",
    ],
    [
      "with the header twice",
      {},
      [`authorization: Bearer ${token}`, `authorization: Bearer ${expired}`],
      "ambiguous",
    ],
    [
      "with a scheme alone, where none is required",
      { required: false },
      ["authorization: Bearer"],
      "malformed",
    ],
    ["with a token where none is looked for", {}, [`cookie: token=${token}`], "missing"],
  ];
  for (const [name, options, headers, code] of cases) {
    test(name, async () => {
      await assert.rejects(ask(await create(options), "GET / HTTP/1.1", ...headers), failsWith(code));
    });
  }

  test("with the places named for who reads the log", async () => {
    const authenticator = await create({ from: ["header", "subprotocol", { cookie: "jwt" }] });
    await assert.rejects(
      authenticator.authenticate({ headers: {} }),
      failsWith("missing", /^No token; looked for in: header authorization, subprotocol, cookie jwt$/),
    );
  });
});

test("a peer is told nothing of keys, issuers and claims", () => {
  const told: Record<IdentityErrorCode, string> = {
    missing: "a token is required",
    ambiguous: "send one token",
    subprotocol_missing: "offer another subprotocol beside the token",
    malformed: "the token is not valid",
    extension_refused: "the token is not valid",
    algorithm_refused: "the token is not valid",
    unknown_key: "the token is not valid",
    bad_signature: "the token is not valid",
    expired: "the token has expired",
    not_yet_valid: "the token is not valid yet",
    wrong_issuer: "the token is not valid",
    wrong_audience: "the token is not valid",
    no_user: "the token is not valid",
    keys_unavailable: "tokens cannot be checked now; try again later",
    options_invalid: "tokens cannot be checked now; try again later",
  };
  for (const [code, publicMessage] of Object.entries(told)) {
    const error = new IdentityError(code as IdentityErrorCode, "a secret of the log");
    assert.equal(error.publicMessage, publicMessage);
  }
});
