import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { findToken, type TokenRequest } from "../src/identity/find-token.ts";
import type { IdentityErrorCode } from "../src/identity/identity-error.ts";
import type { TokenPlace } from "../src/identity/identity-options.ts";
import { tokenFromMessage } from "../src/identity/token-message.ts";
import { placesFrom } from "../src/identity/token-place.ts";
import { encode, failsWith } from "./identity-support.ts";

const all: readonly TokenPlace[] = ["header", "subprotocol", "cookie", "query", "message"];
const hidden = `base64url.bearer.authorization.k8s.io.${encode("t.o.k")}`;
const authorization = (value: string): TokenRequest => ({ headers: { authorization: value } });
const offer = (value: string): TokenRequest => ({ headers: { "sec-websocket-protocol": value } });
const cookie = (value: string): TokenRequest => ({ headers: { cookie: value } });
const query = (value: string): TokenRequest => ({ headers: {}, url: `/ws?${value}` });
const everywhere: TokenRequest = {
  headers: {
    authorization: "Bearer in.the.header",
    "sec-websocket-protocol": "Bearer, in.the.subprotocol",
    cookie: "token=in.the.cookie",
  },
  url: "/ws?access_token=in.the.query",
};

describe("a token is found", () => {
  const cases: [string, TokenRequest, readonly TokenPlace[] | undefined, string | undefined][] = [
    ["in Authorization", authorization("Bearer t.o.k"), undefined, "t.o.k"],
    ["with a scheme in any case", authorization("bEARER  t.o.k"), undefined, "t.o.k"],
    ["not with another scheme", authorization("Basic dDpv"), undefined, undefined],
    ["not without a scheme", authorization("t.o.k"), undefined, undefined],
    ["not with a scheme that begins so", authorization("BearerX t.o.k"), undefined, undefined],
    ["as nothing, which is malformed, after the scheme alone", authorization("Bearer"), undefined, ""],
    ["in a header of a name", { headers: { "x-token": "t.o.k" } }, [{ header: "X-Token" }], "t.o.k"],
    ["there with a scheme too", { headers: { "x-token": "Bearer t.o.k" } }, [{ header: "x-token" }], "t.o.k"],
    ["not in an empty one", { headers: { "x-token": " " } }, [{ header: "x-token" }], undefined],
    [
      "with both, where a header comes twice",
      { headers: { "x-token": ["a", "b"] } },
      [{ header: "x-token" }],
      "a, b",
    ],
    ["not in another header", authorization("Bearer t.o.k"), [{ header: "x-token" }], undefined],
    ["in Authorization by name", authorization("Bearer t.o.k"), [{ header: "Authorization" }], "t.o.k"],

    ["after Bearer", offer("Bearer, t.o.k"), undefined, "t.o.k"],
    ["after Bearer, among others", offer("chat,Bearer,t.o.k,mail"), undefined, "t.o.k"],
    ["in the subprotocol of Kubernetes", offer(`${hidden}, chat`), undefined, "t.o.k"],
    ["not in other subprotocols", offer("chat, mail"), undefined, undefined],
    ["not after Bearer at the end", offer("chat, Bearer"), undefined, undefined],
    ["not in subprotocols, where they are not asked", offer("Bearer, t.o.k"), ["header"], undefined],

    ["in a cookie", cookie("a=b; token=t.o.k; c=d"), ["cookie"], "t.o.k"],
    ["in a cookie of a name", cookie("token=x; __Host-jwt=t.o.k"), [{ cookie: "__Host-jwt" }], "t.o.k"],
    ["in the first of two cookies", cookie("token=t.o.k; token=other"), ["cookie"], "t.o.k"],
    ["not in an empty one", cookie("token="), ["cookie"], undefined],
    ["not in a cookie by default", cookie("token=t.o.k"), undefined, undefined],

    ["in the query", query("a=b&access_token=t.o.k"), ["query"], "t.o.k"],
    ["in a parameter of a name", query("jwt=t.o.k"), [{ query: "jwt" }], "t.o.k"],
    ["there percent-encoded", query("jwt=t%2Eo%2Ek"), [{ query: "jwt" }], "t.o.k"],
    ["after the first question mark", query("jwt=t.o.k?"), [{ query: "jwt" }], "t.o.k?"],
    ["not in an empty one", query("access_token="), ["query"], undefined],
    ["not without a query", { headers: {}, url: "/access_token=t.o.k" }, ["query"], undefined],
    ["not without a URL", { headers: {} }, ["query"], undefined],
    ["not in the query by default", query("access_token=t.o.k"), undefined, undefined],

    ["in no request, where messages are asked", { headers: {} }, ["message"], undefined],
    ["in the header before all", everywhere, all, "in.the.header"],
    ["in the query before all", everywhere, ["query", "cookie"], "in.the.query"],
    ["in the cookie before all", everywhere, ["message", "cookie", "header"], "in.the.cookie"],
    ["in the subprotocol before all", everywhere, ["subprotocol", "header"], "in.the.subprotocol"],
    [
      "in the first place, also a malformed one",
      { ...everywhere, headers: authorization("Bearer !").headers },
      all,
      "!",
    ],
  ];
  for (const [name, request, from, token] of cases) {
    test(name, () => assert.equal(findToken(request, placesFrom(from)).found?.token, token));
  }

  test("with the kind of the place", () => {
    for (const kind of ["header", "subprotocol", "cookie", "query"] as const) {
      assert.equal(findToken(everywhere, placesFrom([kind])).found?.place, kind);
    }
  });
});

describe("a subprotocol that is answered is never the token", () => {
  const cases: [string, readonly string[]][] = [
    ["", [""]],
    ["chat", ["chat"]],
    ["Bearer, t.o.k", ["Bearer"]],
    ["chat, Bearer, t.o.k, mail", ["chat", "Bearer", "mail"]],
    [`${hidden}, chat, mail`, ["chat", "mail"]],
    [`chat, ${hidden}`, ["chat"]],
  ];
  for (const [offered, protocols] of cases) {
    test(`of ${JSON.stringify(offered)}`, () => {
      for (const from of [["subprotocol"], ["header"]] as const) {
        assert.deepEqual(findToken(offer(offered), placesFrom(from)).protocols, protocols);
      }
    });
  }

  test("and there is none where none is offered", () => {
    assert.deepEqual(findToken({ headers: {} }, placesFrom()).protocols, []);
  });
});

describe("a request is refused", () => {
  const twice = ["Authorization", "Bearer a", "Host", "authorization", "AUTHORIZATION", "Bearer b"];
  const cases: [string, TokenRequest, readonly TokenPlace[], IdentityErrorCode][] = [
    ["with the header twice", { ...authorization("Bearer a"), rawHeaders: twice }, ["header"], "ambiguous"],
    ["with a parameter twice", query("access_token=a&access_token=a"), ["query"], "ambiguous"],
    ["with two tokens after Bearer", offer("Bearer, a, Bearer, b"), ["subprotocol"], "ambiguous"],
    ["with two tokens in two forms", offer(`Bearer, a, ${hidden}`), ["subprotocol"], "ambiguous"],
    ["with a token alone among subprotocols", offer(hidden), ["subprotocol"], "subprotocol_missing"],
    ["so too, where it is not asked", offer(hidden), ["header"], "subprotocol_missing"],
    ["with base64url and padding", offer(`${hidden}=, chat`), ["subprotocol"], "malformed"],
    [
      "with empty base64url",
      offer("base64url.bearer.authorization.k8s.io., chat"),
      ["subprotocol"],
      "malformed",
    ],
  ];
  for (const [name, request, from, code] of cases) {
    test(name, () => assert.throws(() => findToken(request, placesFrom(from)), failsWith(code)));
  }
});

describe("the token of a message", () => {
  const cases: [string, string | Uint8Array, string][] = [
    ["is the message", "t.o.k", "t.o.k"],
    ["is the message, without white space around it", " t.o.k\r\n", "t.o.k"],
    ["is the message in bytes", Buffer.from("t.o.k"), "t.o.k"],
    ["is the member of an object", '{"token":"t.o.k","more":1}', "t.o.k"],
    ["is the member of an object in bytes", Buffer.from(' { "token": "t.o.k" }'), "t.o.k"],
  ];
  for (const [name, message, token] of cases) {
    test(name, () => assert.equal(tokenFromMessage(message, "token", 100), token));
  }

  const refused: [string, string | Uint8Array, RegExp][] = [
    ["not JSON", '{"token":"s3cret', /not JSON$/],
    ["without the member", '{"jwt":"s3cret"}', /no text "token"$/],
    ["with a member that is no text", '{"token":{"s3cret":1}}', /no text "token"$/],
    ["over the limit", "é".repeat(563), /1126 bytes, over the limit of 1124$/],
    ["over the limit in bytes", Buffer.alloc(1125), /1125 bytes, over the limit of 1124$/],
  ];
  for (const [name, message, why] of refused) {
    test(`is refused, where that is ${name}`, () => {
      assert.throws(() => tokenFromMessage(message, "token", 100), failsWith("malformed", why));
      assert.throws(
        () => tokenFromMessage(message, "token", 100),
        (error) => !String(error).includes("s3cret"),
      );
    });
  }

  test("has no name that every object has", () => {
    assert.throws(() => tokenFromMessage("{}", "constructor", 100), failsWith("malformed"));
  });
});
