import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { configJsonSchema, singleValues, type JsonSchema } from "../../src/config/config-json-schema.ts";
import { variableFor } from "../../src/config/environment-values.ts";
import { ConfigFolder, least } from "./support.ts";

const folder = new ConfigFolder();

describe("what is wrong is one sentence at its place", () => {
  folder.write("x", "file");
  const table: readonly [what: string, text: string, expected: readonly string[]][] = [
    ["an unknown key", "orgins: '*'\n", ["1:1: orgins is no key of a configuration; did you mean origins?"]],
    [
      "an unknown key in a backend",
      "backends: { a: { target: x:1, balnce: round_robin } }\n",
      ["1:31: backends.a.balnce is no key of a configuration; did you mean balance?"],
    ],
    [
      "a key in other letters",
      `${least}max_timeout: 5s\n`,
      ["2:1: max_timeout is no key of a configuration; did you mean maxTimeout?"],
    ],
    [
      "a key that is near to nothing",
      `${least}log: { colour: true }\n`,
      ["2:8: log.colour is no key of a configuration; there are: level"],
    ],
    [
      "no backend",
      "listen: localhost:80\n",
      ["1:1: backends is missing: name a gRPC server, as in { orders: { target: localhost:50051 } }"],
    ],
    ["a backend without a target", "backends:\n  a: {}\n", ["2:6: backends.a.target is missing"]],
    [
      "a backend that is a text",
      "backends: { a: x:1 }\n",
      ["1:16: backends.a must be a mapping, as in { target: localhost:50051 }"],
    ],
    [
      "a key without a value",
      `${least}timeout:\n`,
      ["2:9: timeout has no value; give it one, or leave it out"],
    ],
    [
      "a duration without a unit",
      `${least}timeout: 5\n`,
      ["2:10: timeout must be a number and its unit, as in 250ms, 10s, 5m, 1h"],
    ],
    ["a duration that no timer has", `${least}drain: 99d\n`, ["2:8: drain must be from 0ms to 24d"]],
    [
      "a size with a wrong unit",
      `${least}limits: { message: 4mb }\n`,
      ["2:20: limits.message must be a number of bytes, as in 65536, 64KiB, 4MiB"],
    ],
    [
      "a size of nothing",
      `${least}limits: { message: 0 }\n`,
      ["2:20: limits.message must be from 1 to 4294967295 bytes"],
    ],
    [
      "a count that is a fraction",
      `${least}limits: { calls: 1.5 }\n`,
      ["2:18: limits.calls must be a whole number from 1 to 4294967295"],
    ],
    [
      "a word that is none of those",
      `${least}log: { level: loud }\n`,
      ["2:15: log.level must be one of trace, debug, info, warn, error, silent"],
    ],
    ["a list that should be a mapping", `${least}json: []\n`, ["2:7: json must be a mapping, and is a list"]],
    ["yes for true", `${least}reflection: yes\n`, ["2:13: reflection must be true or false"]],
    [
      "a number for a text",
      `${least}files: 5\n`,
      ["2:8: files must be a folder, as text, in quotes where YAML takes it for a number"],
    ],
    [
      "a port that is none",
      `${least}listen: localhost:99999\n`,
      ["2:9: listen must have a port from 0 to 65535"],
    ],
    [
      "an origin with a path",
      `${least}origins: [https://a.example/x]\n`,
      [
        "2:11: origins[0] must be a scheme and a host with nothing behind them, as in https://app.example.com, or *",
      ],
    ],
    [
      "options of an option",
      "backends: { a: { target: x:1, retry: { attempts: 99 } } }\n",
      ["1:50: backends.a.retry.attempts must be a whole number from 1 to 10"],
    ],
    [
      "a name that is none",
      'backends: { "ü": { target: x:1 } }\n',
      ["1:13: backends: a key here must be a name of letters, digits, - . and _, at most 63"],
    ],
    [
      "a broker that is not there yet",
      `${least}broker: redis\n`,
      ["2:9: broker must be memory, which is one gateway alone; there is no other broker"],
    ],
    [
      "a target that is none",
      "backends: { a: { target: nonsense } }\n",
      [
        '1:26: backends.a.target cannot be: the backend address "nonsense" has no port; write host:port, [ipv6]:port, dns:///host:port, http://host:port, https://host:port or unix:/path/of.sock',
      ],
    ],
    [
      "files that are not there",
      `${least}tls: { cert: none.pem, key: file }\n`,
      [`2:14: tls.cert: ${folder.path}/none.pem is not a file`],
    ],
    ["a file for a folder", `${least}files: file\n`, [`2:8: files: ${folder.path}/file is not a folder`]],
    [
      "two sources of a schema",
      "backends: { a: { target: x:1, proto: file, descriptor: file } }\n",
      ["1:16: backends.a has descriptor and proto; its schema comes from one of them"],
    ],
    [
      "a certificate without its key",
      "backends: { a: { target: https://x:1, tls: { cert: file } } }\n",
      ["1:44: backends.a.tls needs cert and key together, or neither"],
    ],
    [
      "a deadline over its bound",
      `${least}timeout: 5s\nmaxTimeout: 2s\n`,
      ["2:10: timeout is longer than maxTimeout"],
    ],
    [
      "metadata that are none",
      "backends: { a: { target: x:1, share: { p.S/M: { per: [grpc-timeout] } } } }\n",
      ['1:55: backends.a.share."p.S/M".per[0] is never metadata, so it cannot tell clients apart'],
    ],
    [
      "a path of two faces",
      `${least}faces: { websocket: { path: /ws }, sse: { path: /ws } }\n`,
      ["2:49: faces.sse.path is that of faces.websocket too; give each its own"],
    ],
    [
      "a path with a slash at its end",
      `${least}faces: { sse: { path: /ws/ } }\n`,
      [
        "2:23: faces.sse.path must be a path as in /ws, without a query, without a slash at its end and without escapes",
      ],
    ],
    [
      "a path of a method",
      `${least}faces: { sse: { path: /shop.v1.Orders/Get } }\n`,
      ["2:23: faces.sse.path looks like /package.Service/Method, which calls of gRPC have; choose another"],
    ],
    [
      "a revision of Engine.IO that nobody speaks",
      `${least}faces: { socketio: { revisions: [5] } }\n`,
      ["2:34: faces.socketio.revisions[0] must be 3 or 4"],
    ],
    [
      "Socket.IO for old clients alone",
      `${least}faces: { socketio: { revisions: [3] } }\n`,
      ["2:33: faces.socketio.revisions must have 4, which newer clients speak"],
    ],
    [
      "Socket.IO for old clients without the namespace that they join first",
      `${least}faces: { socketio: { revisions: [3, 4], namespaces: [/chat] } }\n`,
      ["2:53: faces.socketio.namespaces must have /, which clients of revision 3 join first"],
    ],
    [
      "nothing, where old clients may join every namespace",
      `${least}faces: { socketio: { revisions: [3, 4], namespaces: [/*] } }\n`,
      [],
    ],
    [
      "a namespace that is none",
      `${least}faces: { socketio: { namespaces: [chat, "/a*b"] } }\n`,
      [
        "2:35: faces.socketio.namespaces[0] must begin with a slash, as in /chat, and may end in *, as in /room-*",
        "2:41: faces.socketio.namespaces[1] must begin with a slash, as in /chat, and may end in *, as in /room-*",
      ],
    ],
    [
      "the path of another face for Socket.IO",
      `${least}faces: { sse: { path: /socket.io }, socketio: {} }\n`,
      ["2:47: faces.socketio.path is that of faces.sse too; give each its own"],
    ],
    [
      "the path of OpenAPI",
      `${least}openApi: true\nfaces: { sse: { path: /openapi.json } }\n`,
      ["3:23: faces.sse.path is that of the OpenAPI document"],
    ],
    [
      "packets without a path",
      `${least}faces: { packet: {} }\n`,
      ["2:18: faces.packet needs a path where there is no faces.websocket"],
    ],
    [
      "a packet type that is none",
      `${least}faces: { packet: { path: /p, types: { x: a.B/C } } }\n`,
      ["2:39: faces.packet.types: a key here must be the type of a packet, a number from 1 to 4294967294"],
    ],
    [
      "the packet type of refusals",
      `${least}faces: { packet: { path: /p, types: { 4294967295: a.B/C } } }\n`,
      ["2:39: faces.packet.types: a key here must be the type of a packet, a number from 1 to 4294967294"],
    ],
    [
      "a callback to nobody",
      `${least}faces: { sse: { path: /e } }\ncallbacks: { backend: order }\n`,
      ["3:23: callbacks.backend is none of the backends; did you mean orders?"],
    ],
    [
      "callbacks without faces",
      `${least}callbacks: { backend: orders }\n`,
      ["2:1: callbacks tells of sessions, but there is no face on which clients could have one"],
    ],
    [
      "a hook that is none",
      `${least}callbacks: { backend: orders, hooks: [open] }\n`,
      ["2:39: callbacks.hooks[0] must be one of connect, message, disconnect, resume"],
    ],
    [
      "a pattern of rooms that is none",
      `${least}rooms: { "a*b": {} }\n`,
      [
        "2:10: rooms: a key here must be the name of a room, or what names begin with and a * at its end, as in chat:*",
      ],
    ],
    [
      "rooms for people whom nobody knows",
      `${least}rooms: { "a": { join: identified } }\n`,
      [
        "2:23: rooms.a.join is for identified clients, but nothing identifies any: give identity, or callbacks with the hook connect",
      ],
    ],
    [
      "a push API that is open",
      `${least}push: {}\nfaces: { sse: { path: /e } }\n`,
      ["2:7: push is open to everybody; give token or tokenFile, or listen on a loopback address"],
    ],
    [
      "a push API that is open to the network",
      `${least}push: { listen: 0.0.0.0:9090 }\nfaces: { sse: { path: /e } }\n`,
      ["2:17: push.listen can be reached from other machines, which needs token or tokenFile"],
    ],
    [
      "a token that can be guessed",
      `${least}push: { token: secret }\nfaces: { sse: { path: /e } }\n`,
      ["2:16: push.token has fewer than 16 bytes, and could be guessed"],
    ],
    [
      "a push API that reaches nobody",
      `${least}push: { token: 0123456789abcdef }\n`,
      ["2:1: push reaches sessions, but there is no face on which clients could have one"],
    ],
    [
      "a token that no header can carry",
      `${least}push: { token: "0123456789 abcdef" }\nfaces: { sse: { path: /e } }\n`,
      ["2:16: push.token must be printable ASCII without spaces, as a header carries it"],
    ],
    [
      "a token in letters that no header has",
      `${least}push: { token: "0123456789abcdéf" }\nfaces: { sse: { path: /e } }\n`,
      ["2:16: push.token must be printable ASCII without spaces, as a header carries it"],
    ],
    [
      "an outbox that is smaller than what goes into it",
      `${least}sessions: { limits: { outbox: 16KiB } }\n`,
      ["2:31: sessions.limits.outbox is smaller than message, which goes into it"],
    ],
    [
      "an identity that guards nothing",
      `${least}identity: { jwt: { secret: 0123456789abcdef0123456789abcdef } }\n`,
      [
        "2:1: identity says who has a session, but there is no face on which clients could have one; calls go through without it",
      ],
    ],
    [
      "an envelope that is smaller than what goes into it",
      `${least}sessions: { limits: { envelope: 1KiB } }\n`,
      ["2:33: sessions.limits.envelope is smaller than message, which goes into it"],
    ],
    [
      "a wait that is longer than what it is in",
      `${least}faces: { sse: { path: /e } }\ncallbacks: { backend: orders, connectWait: 30s }\n`,
      ["3:44: callbacks.connectWait must be less than sessions.limits.opening, which ends the waiting"],
    ],
    [
      "one port for two",
      `${least}listen: 127.0.0.1:8080\npush: { listen: 127.0.0.1:8080 }\nfaces: { sse: { path: /e } }\n`,
      ["3:17: push.listen is that of the gateway; leave it out, or choose another port"],
    ],
    [
      "an identity without a key",
      `${least}identity: { jwt: {} }\nfaces: { sse: { path: /e } }\n`,
      [
        "2:18: identity: jwt needs exactly one of secret, secretFile, publicKey, publicKeyFile, jwks; none of them is given",
      ],
    ],
    [
      "a place of tokens that is none",
      `${least}identity: { jwt: { secretFile: file }, from: [headers] }\n`,
      ["2:47: identity.from[0] must be one of header, subprotocol, cookie, query, message"],
    ],
    [
      "several at once, in the order of the file",
      "listen: 1\nlog: { level: x }\nbackends: {}\ntimeout: 1\n",
      [
        "1:9: listen must be HOST:PORT, as in 127.0.0.1:8080, 0.0.0.0:8080 or [::1]:8080",
        "2:15: log.level must be one of trace, debug, info, warn, error, silent",
        "4:10: timeout must be a number and its unit, as in 250ms, 10s, 5m, 1h",
      ],
    ],
  ];
  for (const [what, text, expected] of table) {
    test(what, () => {
      const found = folder.problems(text);
      assert.deepEqual(found, expected);
    });
  }
});

test("a secret that is short is told without it", () => {
  const found = folder
    .problems(`${least}identity: { jwt: { secret: hush-hush } }\nfaces: { sse: { path: /e } }\n`)
    .join("\n");
  assert.match(found, /^2:28: identity: jwt\.secret /);
  assert.doesNotMatch(found, /hush/);
});

describe("variables of the environment", () => {
  const environment = { HOST: "orders", EMPTY: "", TOKEN: "0123456789abcdef", LEVEL: "debug", CALLS: "7" };

  test("stand in texts, with defaults where they are not set or empty", () => {
    const { config } = folder.load(
      'backends: { a: { target: "${HOST}:50051" } }\n' +
        "log: { level: '${LEVEL}' }\n" +
        "limits:\n  calls: ${CALLS}\n  message: ${SIZE:-64KiB}\n  reply: ${EMPTY:-1MiB}\n" +
        "reflection: ${REFLECTION:-true}\nfiles: ${NONE:-}.\n" +
        "push: { token: '$${TOKEN}$${TOKEN}' }\nfaces: { sse: { path: /events } }\n",
      { environment },
    );
    assert.deepEqual(config.backends["a"]?.target, ["orders:50051"]);
    assert.deepEqual(
      [config.log.level, config.limits.calls, config.limits.message, config.limits.reply, config.reflection],
      ["debug", 7, 65_536, 1_048_576, true],
    );
    assert.deepEqual(config.push?.token, ["${TOKEN}${TOKEN}"]);
  });

  test("that are not set are told with their place, and so is what is no reference", () => {
    assert.deepEqual(folder.problems(`${least}files: a/\${NOPE}/b\nlog: { level: "\${" }\n`), [
      "2:8: the variable NOPE is not set; set it, or give a default, as in ${NOPE:-default}",
      "3:15: ${ begins the name of a variable, as in ${NAME} or ${NAME:-default}; write $${ for the characters",
    ]);
  });

  test("are not looked into again, and their values are in no message", () => {
    const values = { HOST_PORT: "hush-hush", LEVEL: "${HOST_PORT}" };
    assert.deepEqual(
      folder.problems(`${least}listen: \${HOST_PORT}\nlog: { level: "\${LEVEL}" }\n`, {
        environment: values,
      }),
      [
        "2:9: listen must be HOST:PORT, as in 127.0.0.1:8080, 0.0.0.0:8080 or [::1]:8080",
        "3:15: log.level must be one of trace, debug, info, warn, error, silent",
      ],
    );
  });

  test("SLUICE_… set single values, and win over the file", () => {
    const { config, warnings } = folder.load(`${least}listen: localhost:1\ntimeout: 1s\n`, {
      environment: {
        SLUICE_LISTEN: "0.0.0.0:2",
        SLUICE_LIMITS_CONNECTIONS_PER_ADDRESS: "9",
        SLUICE_OPEN_API: "true",
        SLUICE_ORIGINS: "*",
        SLUICE_TIMEOUT: "",
      },
    });
    assert.deepEqual(config.listen, { host: "0.0.0.0", port: 2 });
    assert.deepEqual([config.limits.connectionsPerAddress, config.openApi, config.timeout], [9, true, 1_000]);
    assert.deepEqual([config.origins, warnings], [["*"], []]);
  });

  test("SLUICE_… that are wrong are told by their names", () => {
    assert.deepEqual(folder.problems(least, { environment: { SLUICE_LISTEN: "nowhere" } }), [
      "SLUICE_LISTEN: listen must be HOST:PORT, as in 127.0.0.1:8080, 0.0.0.0:8080 or [::1]:8080",
    ]);
    assert.deepEqual(
      folder.problems(`${least}timeout: 5s\n`, { environment: { SLUICE_MAX_TIMEOUT: "1s" } }),
      ["2:10: timeout is longer than maxTimeout"],
    );
  });

  test("SLUICE_… that nobody knows are told, but for those of Kubernetes and those that the file names", () => {
    const { warnings } = folder.load(`${least}files: \${SLUICE_FOLDER}\n`, {
      environment: {
        SLUICE_LISTN: "x",
        SLUICE_WHATEVER: "x",
        SLUICE_FOLDER: ".",
        SLUICE_PORT: "tcp://10.0.0.1:80",
        SLUICE_PORT_80_TCP_ADDR: "10.0.0.1",
        SLUICE_SERVICE_HOST: "10.0.0.1",
        SLUICE_SERVICE_PORT_HTTP: "80",
      },
    });
    assert.deepEqual(warnings, [
      "the variable SLUICE_LISTN is not known; did you mean SLUICE_LISTEN?",
      "the variable SLUICE_WHATEVER is not known",
    ]);
  });
});

test("flags win over the environment, and are what an error names", () => {
  const flags = [
    { origin: "--timeout", path: ["timeout"], value: "5s" },
    { origin: "--log-level", path: ["log", "level"], value: "warn" },
  ];
  const loaded = folder.load(least, { environment: { SLUICE_LOG_LEVEL: "error" }, flags });
  assert.deepEqual([loaded.config.log.level, loaded.config.timeout], ["warn", 5_000]);
  assert.equal(loaded.originOf(["timeout"]), "--timeout");
  assert.equal(loaded.originOf(["maxTimeout"]), "maxTimeout");
  assert.deepEqual(folder.problems(`${least}maxTimeout: 1s\n`, { flags }), [
    "--timeout: timeout is longer than maxTimeout",
  ]);
});

test("backends of flags and of the file exclude each other", () => {
  assert.deepEqual(folder.problems(least, { backendNames: ["x"] }), [
    "1:1: backends and --upstream both name backends; leave one of them out",
  ]);
  assert.deepEqual(folder.problems("log: {}\n", { backendNames: ["x"] }), []);
});

describe("the JSON Schema", () => {
  test("says of every key what it is", () => {
    const without: string[] = [];
    const visit = (schema: JsonSchema, path: string): void => {
      for (const [key, child] of Object.entries(schema.properties ?? {})) {
        if (child.description === undefined) without.push(`${path}.${key}`);
        visit(child, `${path}.${key}`);
      }
      if (typeof schema.additionalProperties === "object") visit(schema.additionalProperties, `${path}.*`);
      for (const form of [...(schema.anyOf ?? []), ...(schema.items === undefined ? [] : [schema.items])])
        visit(form, path);
    };
    visit(configJsonSchema(), "");
    assert.deepEqual(without, []);
  });

  test("has a variable of its own for each single value", () => {
    const paths = [...singleValues()];
    const names = new Map(paths.map((path) => [variableFor(path), path.join(".")]));
    assert.equal(names.size, new Set(paths.map((path) => path.join("."))).size);
    assert.equal(names.get("SLUICE_LIMITS_CONNECTIONS_PER_ADDRESS"), "limits.connectionsPerAddress");
    assert.equal(names.get("SLUICE_LOG_LEVEL"), "log.level");
  });
});
