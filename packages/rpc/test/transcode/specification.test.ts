import assert from "node:assert/strict";
import { dirname } from "node:path";
import { before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import {
  applyServiceConfig,
  compileProtos,
  createCodec,
  type Backend,
  type JsonObject,
  type JsonValue,
  type PathUnescaping,
  type RpcError,
  type Schema,
} from "../../src/index.ts";
import { parseQuery, splitTarget } from "../../src/rest/http-message.ts";
import { createSchemaRoutes, RestRoutes } from "../../src/transcode/rest-routes.ts";

// What google/api/http.proto says of path templates, variables and queries, each with the message that comes of it.

const echoProto = fileURLToPath(new URL("../../../testkit/proto/echo.proto", import.meta.url));

let schema: Schema;
before(async () => {
  const whole = await compileProtos([echoProto], { importPaths: [dirname(echoProto)] });
  schema = { ...whole, methods: new Map([...whole.methods].filter(([path]) => path === method)) };
});

const method = "/sluice.test.v1.Library/GetEverything";
const selector = "sluice.test.v1.Library.GetEverything";

const nobody: Backend = {
  open: () => assert.fail("no call is made here"),
  close: () => Promise.resolve(),
};

/** The rules that take the place of those of a method with the message Everything. */
type Rules = JsonObject;

function routesOf(
  rules: Rules,
  strict = false,
  pathUnescaping: PathUnescaping = "spec",
): { readonly routes: RestRoutes; readonly problems: readonly RpcError[] } {
  const configured = applyServiceConfig(schema, { http: { rules: [{ selector, ...rules }] } });
  const { routes, problems } = createSchemaRoutes(configured, nobody, { strict });
  return { routes: new RestRoutes(routes, { pathUnescaping }), problems };
}

/** The message that comes of a request such as `GET /v1/x?y=1`, as JSON; or where it leads instead. */
function messageOf(routes: RestRoutes, request: string, body?: string): JsonValue {
  const [httpMethod = "", target = ""] = request.split(" ");
  const { path, query } = splitTarget(target);
  const match = routes.match(httpMethod, path);
  if (match.kind !== "found") return match.kind;
  const parameters = parseQuery(query);
  assert.ok(parameters !== undefined);
  const url = { values: match.values, query: parameters };
  const bytes = match.route.transcoder.requestFrom(body, url, false);
  const input = schema.methods.get(method)?.input;
  assert.ok(input !== undefined);
  return JSON.parse(createCodec(input, { registry: schema.registry }).jsonFromBytes(bytes)) as JsonValue;
}

const templates: readonly [rules: Rules, request: string, message: JsonValue, body?: string][] = [
  // Variables of one segment.
  [{ get: "/v1/messages/{string_value}" }, "GET /v1/messages/123456", { stringValue: "123456" }],
  [{ get: "/v1/messages/{string_value=*}" }, "GET /v1/messages/123456", { stringValue: "123456" }],
  [{ get: "/v1/messages/{string_value}" }, "GET /v1/messages/a/b", "not_found"],
  [{ get: "/v1/messages/{string_value}" }, "GET /v1/messages/", "not_found"],
  [{ get: "/v1/messages/{string_value}" }, "GET /v1/messages", "not_found"],
  [{ get: "/v1/messages/{string_value}" }, "GET /v1/messages/a/", "not_found"],
  [{ get: "/v1/messages/{string_value}" }, "POST /v1/messages/a", "wrong_method"],
  [{ get: "/v1/messages/{string_value}" }, "GET /v1/messages/%ff", "malformed"],
  // Variables of several.
  [{ get: "/v1/{string_value=messages/*}" }, "GET /v1/messages/123456", { stringValue: "messages/123456" }],
  [{ get: "/v1/{string_value=messages/*}" }, "GET /v1/others/123456", "not_found"],
  [
    { get: "/v1/{string_value=a/*/b/*}/{int32_value}" },
    "GET /v1/a/x/b/y/7",
    { stringValue: "a/x/b/y", int32Value: 7 },
  ],
  [{ get: "/v1/{point.label=c/*}" }, "GET /v1/c/d", { point: { label: "c/d" } }],
  [{ get: "/v1/{point.label}/{point.x}" }, "GET /v1/l/3", { point: { label: "l", x: 3 } }],
  [{ get: "/v1/*/{string_value}" }, "GET /v1/any/x", { stringValue: "x" }],
  // `**` is none, one or many segments.
  [{ get: "/v1/{string_value=**}" }, "GET /v1/a/b/c", { stringValue: "a/b/c" }],
  [{ get: "/v1/{string_value=**}" }, "GET /v1", {}],
  [{ get: "/v1/{string_value=a/**}" }, "GET /v1/a", { stringValue: "a" }],
  [{ get: "/v1/{string_value=a/**}" }, "GET /v1/a/b/c", { stringValue: "a/b/c" }],
  [{ get: "/v1/**" }, "GET /v1/a/b", {}],
  // The specification wants `**` last; as other gateways do, this one takes a fixed tail too.
  [{ get: "/v1/{string_value=**}/tail" }, "GET /v1/a/b/tail", { stringValue: "a/b" }],
  [{ get: "/v1/{string_value=**}/tail" }, "GET /v1/a/b", "not_found"],
  // Verbs.
  [{ get: "/v1/{string_value}:move" }, "GET /v1/a:move", { stringValue: "a" }],
  [{ get: "/v1/{string_value}:move" }, "GET /v1/a:b:move", { stringValue: "a:b" }],
  [{ get: "/v1/{string_value}:move" }, "GET /v1/a", "not_found"],
  [{ get: "/v1/{string_value}:move" }, "GET /v1/a:copy", "not_found"],
  [{ get: "/v1/{string_value}" }, "GET /v1/a:move", { stringValue: "a:move" }],
  [{ get: "/v1/{string_value=**}:move" }, "GET /v1/a/b:move", { stringValue: "a/b" }],
  [{ get: "/v1/things:list" }, "GET /v1/things:list", {}],
  [{ get: "/v1/things:list" }, "GET /v1/things", "not_found"],
  // Values of each kind.
  [{ get: "/v1/{color}" }, "GET /v1/COLOR_RED", { color: "COLOR_RED" }],
  [{ get: "/v1/{color}" }, "GET /v1/2", { color: "COLOR_GREEN" }],
  [{ get: "/v1/{color}" }, "GET /v1/-1", { color: "COLOR_NEGATIVE" }],
  [{ get: "/v1/{bool_value}" }, "GET /v1/true", { boolValue: true }],
  [{ get: "/v1/{int64_value}" }, "GET /v1/-9223372036854775808", { int64Value: "-9223372036854775808" }],
  [{ get: "/v1/{uint64_value}" }, "GET /v1/18446744073709551615", { uint64Value: "18446744073709551615" }],
  [{ get: "/v1/{double_value}" }, "GET /v1/-1.5e3", { doubleValue: -1500 }],
  [{ get: "/v1/{bytes_value}" }, "GET /v1/AQID", { bytesValue: "AQID" }],
  [{ get: "/v1/{bytes_value}" }, "GET /v1/_-8", { bytesValue: "/+8=" }],
  [{ get: "/v1/{string_wrapper}" }, "GET /v1/x", { stringWrapper: "x" }],
  [{ get: "/v1/{timestamp}" }, "GET /v1/2026-11-22T00:00:00Z", { timestamp: "2026-11-22T00:00:00Z" }],
  [{ get: "/v1/{duration}" }, "GET /v1/1.5s", { duration: "1.500s" }],
  [{ get: "/v1/{optional_string}" }, "GET /v1/x", { optionalString: "x" }],
  [{ get: "/v1/{choice_string}" }, "GET /v1/x", { choiceString: "x" }],
  // Bodies.
  [
    { post: "/v1/{string_value}", body: "point" },
    "POST /v1/a?int32_value=2",
    { stringValue: "a", int32Value: 2, point: { x: 1 } },
    '{"x":1}',
  ],
  [
    { post: "/v1/{string_value}", body: "point" },
    "POST /v1/a?point.y=2",
    { stringValue: "a", point: { x: 1 } },
    '{"x":1}',
  ],
  [
    { post: "/v1/{string_value}", body: "*" },
    "POST /v1/a?int32_value=2",
    { stringValue: "a", boolValue: true },
    '{"bool_value":true}',
  ],
  [{ post: "/v1/{string_value}", body: "*" }, "POST /v1/a", { stringValue: "a" }, '{"stringValue":"b"}'],
  [
    { post: "/v1/{point.label}", body: "*" },
    "POST /v1/a",
    { point: { label: "a", x: 1 } },
    '{"point":{"x":1,"label":"b"}}',
  ],
  [{ post: "/v1", body: "strings" }, "POST /v1", { strings: ["a", "b"] }, '["a","b"]'],
  [{ post: "/v1", body: "color" }, "POST /v1", { color: "COLOR_RED" }, '"COLOR_RED"'],
  // HTTP methods, and further bindings.
  [{ custom: { kind: "LIST", path: "/v1" } }, "LIST /v1", {}],
  [{ custom: { kind: "*", path: "/v1" } }, "PURGE /v1", {}],
  [{ patch: "/v1/{string_value}" }, "PATCH /v1/a", { stringValue: "a" }],
  [{ get: "/a", additional_bindings: [{ get: "/b/{string_value}" }] }, "GET /b/x", { stringValue: "x" }],
  // Precedence: literals, `*`, `**`; then the later rule.
  [{ get: "/v1/{string_value}", additional_bindings: [{ get: "/v1/fixed" }] }, "GET /v1/fixed", {}],
  [
    { get: "/v1/{string_value=**}", additional_bindings: [{ get: "/v1/{optional_string}" }] },
    "GET /v1/x",
    { optionalString: "x" },
  ],
  [
    { get: "/v1/{string_value=**}", additional_bindings: [{ get: "/v1/{optional_string}" }] },
    "GET /v1/x/y",
    { stringValue: "x/y" },
  ],
  [
    { get: "/v1/{string_value}", additional_bindings: [{ get: "/v1/{optional_string}" }] },
    "GET /v1/x",
    { optionalString: "x" },
  ],
  [
    { get: "/v1/{string_value}", additional_bindings: [{ get: "/v1/{optional_string}:move" }] },
    "GET /v1/x:move",
    { optionalString: "x" },
  ],
];

describe("http.proto, a path template", () => {
  for (const [rules, request, message, body] of templates) {
    const rule = JSON.stringify(rules);
    test(`${rule}, ${request}${body === undefined ? "" : ` ${body}`}: ${JSON.stringify(message)}`, () => {
      const { routes, problems } = routesOf(rules);
      assert.deepEqual(problems, []);
      assert.deepEqual(messageOf(routes, request, body), message);
    });
  }
});

const wrongRules: readonly [rules: Rules, message: RegExp][] = [
  [
    { get: "/v1/{nothing}" },
    /GetEverything: GET \/v1\/\{nothing\}: sluice\.test\.v1\.Everything has no field nothing/,
  ],
  [{ get: "/v1/{point.nothing}" }, /has no field point\.nothing/],
  [{ get: "/v1/{strings}" }, /field strings is repeated or a message/],
  [{ get: "/v1/{labels}" }, /field labels is repeated or a message/],
  [{ get: "/v1/{point}" }, /field point is repeated or a message/],
  [{ get: "/v1/{points.x}" }, /has no field points\.x/],
  [{ get: "/v1/{string_value=**}/{optional_string=**}" }, /'\*\*' stands more than once/],
  [{ get: "/v1/{string_value={color}}" }, /a variable inside a variable/],
  [{ get: "v1" }, /begins with '\/'/],
  [{ get: "/v1/" }, /an empty segment/],
  [{ post: "/v1", body: "nothing" }, /has no field nothing/],
  [{ post: "/v1", body: "point.x" }, /has no field point\.x/],
  [{ get: "/v1", response_body: "nothing" }, /has no field nothing/],
];

describe("http.proto, a rule that does not fit", () => {
  for (const [rules, message] of wrongRules) {
    test(`${JSON.stringify(rules)} is left out, and said`, () => {
      const { routes, problems } = routesOf({ ...rules, additional_bindings: [{ get: "/good" }] });
      assert.equal(problems.length, 1);
      assert.match(problems[0]?.message ?? "", message);
      assert.equal(problems[0]?.code, "http_rule_invalid");
      assert.deepEqual(messageOf(routes, "GET /good"), {});
    });
  }
});

/** What becomes of an escaped text in a variable of one segment, and of several, in each mode. */
const escapes: readonly [
  text: string,
  spec: string,
  specMulti: string,
  all: string,
  allExceptSlash: string,
  allExceptReserved: string,
][] = [
  ["plain-._~", "plain-._~", "plain-._~", "plain-._~", "plain-._~", "plain-._~"],
  ["%61%2D", "a-", "a-", "a-", "a-", "a-"],
  ["a%20b", "a b", "a b", "a b", "a b", "a b"],
  ["a+b", "a+b", "a+b", "a+b", "a+b", "a+b"],
  ["%C3%A9%F0%9F%8C%8A", "é🌊", "é🌊", "é🌊", "é🌊", "é🌊"],
  ["%25", "%", "%", "%", "%", "%"],
  ["a%2Fb", "a/b", "a%2Fb", "a/b", "a%2Fb", "a%2Fb"],
  ["a%2fb", "a/b", "a%2Fb", "a/b", "a%2Fb", "a%2Fb"],
  // Decoded once and never twice.
  ["a%252Fb", "a%2Fb", "a%2Fb", "a%2Fb", "a%2Fb", "a%2Fb"],
  ["%2525", "%25", "%25", "%25", "%25", "%25"],
  ["%3A", ":", ":", ":", ":", "%3A"],
  ["%3F%23", "?#", "?#", "?#", "?#", "%3F%23"],
  ["%5b%5D%40", "[]@", "[]@", "[]@", "[]@", "%5B%5D%40"],
  ["%21%24%26%27", "!$&'", "!$&'", "!$&'", "!$&'", "%21%24%26%27"],
  ["%28%29%2A%2B%2C", "()*+,", "()*+,", "()*+,", "()*+,", "%28%29%2A%2B%2C"],
  ["%3B%3D", ";=", ";=", ";=", ";=", "%3B%3D"],
  ["%22%3C%3E%5C%5E%60%7B%7C%7D", '"<>\\^`{|}', '"<>\\^`{|}', '"<>\\^`{|}', '"<>\\^`{|}', '"<>\\^`{|}'],
];

describe("http.proto, escaped characters of a variable", () => {
  const single: Rules = { get: "/v1/{string_value}" };
  const multi: Rules = { get: "/v1/{string_value=a/*}" };
  for (const [text, spec, specMulti, all, allExceptSlash, allExceptReserved] of escapes) {
    test(`${text}, in one segment and in several, in four modes`, () => {
      const valueOf = (rules: Rules, mode: PathUnescaping): JsonValue => {
        const path = rules === single ? `/v1/${text}` : `/v1/a/${text}`;
        return messageOf(routesOf(rules, false, mode).routes, `GET ${path}`);
      };
      assert.deepEqual(valueOf(single, "spec"), { stringValue: spec });
      assert.deepEqual(valueOf(multi, "spec"), { stringValue: `a/${specMulti}` });
      for (const [mode, value] of [
        ["all", all],
        ["all-except-slash", allExceptSlash],
        ["all-except-reserved", allExceptReserved],
      ] as const) {
        assert.deepEqual(valueOf(single, mode), { stringValue: value }, mode);
        assert.deepEqual(valueOf(multi, mode), { stringValue: `a/${value}` }, mode);
      }
    });
  }
});

const queries: readonly [query: string, message: JsonValue][] = [
  ["", {}],
  ["string_value=a", { stringValue: "a" }],
  ["stringValue=a", { stringValue: "a" }],
  ["another-name=a", { "another-name": "a" }],
  ["renamed=a", { "another-name": "a" }],
  ["string_value=", {}],
  ["optional_string=", { optionalString: "" }],
  ["string_value=a+b%2Bc%20d%26e%3D", { stringValue: "a b+c d&e=" }],
  ["string_value=%C3%A9", { stringValue: "é" }],
  ["int32_value=-7&uint32_value=7&sint64_value=-1", { int32Value: -7, uint32Value: 7, sint64Value: "-1" }],
  ["int64_value=9007199254740993", { int64Value: "9007199254740993" }],
  ["uint64_value=18446744073709551615", { uint64Value: "18446744073709551615" }],
  ["double_value=1e3&float_value=-Infinity", { doubleValue: 1000, floatValue: "-Infinity" }],
  ["double_value=NaN", { doubleValue: "NaN" }],
  ["bool_value=true&optional_bool=false", { boolValue: true, optionalBool: false }],
  ["bool_value=1&optional_bool=0", { boolValue: true, optionalBool: false }],
  ["bytes_value=AQID", { bytesValue: "AQID" }],
  ["bytes_value=_-8", { bytesValue: "/+8=" }],
  ["color=COLOR_RED", { color: "COLOR_RED" }],
  ["color=2&optional_color=0", { color: "COLOR_GREEN", optionalColor: "COLOR_UNSPECIFIED" }],
  ["point.x=1&point.label=a", { point: { x: 1, label: "a" } }],
  ["node.child.child.name=deep", { node: { child: { child: { name: "deep" } } } }],
  ["strings=a&strings=b&strings=", { strings: ["a", "b", ""] }],
  ["int32s=1&int32s=2", { int32s: [1, 2] }],
  ["colors=COLOR_RED&colors=2", { colors: ["COLOR_RED", "COLOR_GREEN"] }],
  ["strings=a,b", { strings: ["a,b"] }],
  ["labels[a]=1&labels[b%20c]=x", { labels: { a: "1", "b c": "x" } }],
  ["labels%5Ba%5D=1", { labels: { a: "1" } }],
  ["labels[]=1", { labels: { "": "1" } }],
  ["counts[true]=5&blobs_by_id[7]=AQ==", { counts: { true: "5" }, blobsById: { 7: "AQ==" } }],
  ["colors_by_name[a]=COLOR_RED", { colorsByName: { a: "COLOR_RED" } }],
  ["timestamp=2026-11-22T01:02:03.5Z", { timestamp: "2026-11-22T01:02:03.500Z" }],
  ["timestamp=2026-11-22T01:02:03%2B01:00", { timestamp: "2026-11-22T00:02:03Z" }],
  [
    "timestamps=2026-01-01T00:00:00Z&timestamps=1970-01-01T00:00:00Z",
    { timestamps: ["2026-01-01T00:00:00Z", "1970-01-01T00:00:00Z"] },
  ],
  ["duration=1.5s", { duration: "1.500s" }],
  ["duration=-3s", { duration: "-3s" }],
  ["field_mask=a,bC.d", { fieldMask: "a,bC.d" }],
  [
    "string_wrapper=&bool_wrapper=true&int64_wrapper=7",
    { stringWrapper: "", boolWrapper: true, int64Wrapper: "7" },
  ],
  ["bytes_wrapper=AQ&double_wrapper=0", { bytesWrapper: "AQ==", doubleWrapper: 0 }],
  ['struct={"a":[1,null]}', { struct: { a: [1, null] } }],
  ["value=plain", { value: "plain" }],
  ["value=7&list=[1]", { value: 7, list: [1] }],
  ["choice_string=a", { choiceString: "a" }],
  ["__proto__=a&hasOwnProperty=b", { Proto: "a", hasOwnProperty: "b" }],
];

const wrongQueries: readonly [query: string, message: RegExp][] = [
  ["string_value=a&string_value=b", /string_value is given 2 times, but holds one value/],
  ["int32_value=a", /int32_?value/i],
  ["int32_value=", /field int32_value is a number, but is empty/],
  ["int32_value=2147483648", /int32_?value/i],
  ["int32_value=1.5", /int32_?value/i],
  ["uint32_value=-1", /uint32_?value/i],
  ["int64_value=9223372036854775808", /int64_?value/i],
  ["double_value=x", /double_?value/i],
  ["float_value=1e39", /float_?value/i],
  ["bool_value=yes", /field bool_value is a bool, so 'yes' is none of true and false/],
  ["bytes_value=!", /bytes_?value/i],
  ["color=COLOR_BLUE", /field color 'COLOR_BLUE' is no value of sluice\.test\.v1\.Color/],
  ["timestamp=yesterday", /timestamp/],
  ["timestamp=2026-13-01T00:00:00Z", /timestamp/],
  ["duration=1h", /duration/],
  ["field_mask=a_b", /field_?mask/i],
  ["struct=[1]", /struct/],
  ["struct=x", /field struct is not JSON/],
  ["labels[a]=1&labels[a]=2", /field labels\[a\] is given 2 times/],
  ["counts[maybe]=1", /counts/],
  ["choice_string=a&choice_int64=1", /choice/],
  // A parameter that no field can take is refused where that is asked for; see below.
  ["point=1", /point/],
  ["points.x=1", /points\.x/],
  ["labels=1", /labels/],
  ["points_by_id[1]=x", /points_by_id/],
  ["strings[0]=a", /strings\[0\]/],
  ["nothing=1", /parameter nothing is no field that a URL can fill/],
  ["point.nothing=1", /parameter point\.nothing is no field/],
  ["string_value.x=1", /string_value\.x/],
  ["empty=1", /empty/],
  ["any=1", /any/],
  ["=1", /parameter {2}is no field/],
];

const ignored =
  /^(?:point|points\.x|labels|points_by_id\[1\]|strings\[0\]|nothing|point\.nothing|string_value\.x|empty|any|)=/;

describe("http.proto, a query", () => {
  const rules: Rules = { get: "/v1" };
  for (const [query, message] of queries) {
    test(`${query} fills ${JSON.stringify(message)}`, () => {
      assert.deepEqual(messageOf(routesOf(rules, true).routes, `GET /v1?${query}`), message);
    });
  }

  for (const [query, message] of wrongQueries) {
    const refused = (error: unknown): boolean =>
      error instanceof Error &&
      "code" in error &&
      error.code === "json_invalid" &&
      message.test(error.message);
    test(`${query} is refused`, () => {
      assert.throws(() => messageOf(routesOf(rules, true).routes, `GET /v1?${query}`), refused);
      if (ignored.test(query)) assert.deepEqual(messageOf(routesOf(rules).routes, `GET /v1?${query}`), {});
      else assert.throws(() => messageOf(routesOf(rules).routes, `GET /v1?${query}`), refused);
    });
  }

  test("the path wins over it", () => {
    const { routes } = routesOf({ get: "/v1/{string_value}" });
    assert.deepEqual(messageOf(routes, "GET /v1/a?string_value=b"), { stringValue: "a" });
  });
});
