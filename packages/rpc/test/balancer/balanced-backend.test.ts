import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { describe, test, type TestContext } from "node:test";
import { Code } from "@sluice/protocol";
import { RpcError, type PolicyName } from "@sluice/rpc";
import { ServerHealth, startFaultProxy, testCertificates } from "@sluice/testkit";
import {
  collect,
  converse,
  message,
  open,
  repeat,
  run,
  say,
  sleep,
  textOf,
  type Recording,
} from "../backend/harness.ts";
import {
  addressesOf,
  allUsable,
  balance,
  startServer,
  startServers,
  statusOf,
  until,
  untilState,
} from "./servers.ts";

const hello = message([1, "hello"]);

/** The address of a port on which nobody listens. */
async function closedAddress(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return `127.0.0.1:${port}`;
}

/** The address of a server that takes connections and never says a word. */
async function silentAddress(context: TestContext): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => void sockets.add(socket.on("error", () => {})));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  context.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Loopback addresses: one port, several servers. */
async function startOn(context: TestContext, ...hosts: readonly string[]) {
  const [first, ...others] = hosts;
  assert.ok(first);
  const one = await startServer(context, { host: first });
  const rest = await Promise.all(others.map((host) => startServer(context, { host, port: one.port })));
  return [one, ...rest];
}

const policies: readonly PolicyName[] = ["round_robin", "least_requests"];

for (const policy of policies) {
  describe(`several addresses with ${policy}`, () => {
    test("all get calls, of all kinds", async (context) => {
      const servers = await startServers(context, 3);
      const backend = balance(context, addressesOf(servers), { policy });
      await allUsable(backend, 3);
      for (let i = 0; i < 10; i++) {
        assert.deepEqual((await run(backend, say, [hello])).texts, ["hello"]);
        assert.equal((await run(backend, repeat, [message([1, "a"], [2, 3])])).messages.length, 3);
        assert.equal((await run(backend, collect, [hello, hello])).status?.code, Code.OK);
        assert.equal((await run(backend, converse, [hello, hello])).messages.length, 2);
      }
      for (const { calls } of servers) assert.ok(calls.started > 0);
      const started = backend.addresses().map(({ startedCalls }) => startedCalls);
      assert.deepEqual(
        started,
        servers.map(({ calls }) => calls.started),
      );
      assert.deepEqual(backend.counters(), {
        openCalls: 0,
        waitingCalls: 0,
        connections: 3,
        retries: 0,
        refusedRetries: 0,
      });
    });

    test("are connected by the first call, which waits for the first of them", async (context) => {
      const silent = await silentAddress(context);
      const server = await startServer(context);
      const backend = balance(context, [silent, server.address], { policy });
      assert.deepEqual(backend.state(), { kind: "idle" });
      const call = run(backend, say, [hello]);
      assert.equal(backend.state().kind, "connecting");
      assert.equal(backend.counters().waitingCalls, 1);
      assert.deepEqual((await call).texts, ["hello"]);
      assert.equal(backend.state().kind, "ready");
      assert.deepEqual(
        backend.addresses().map(({ isUsable }) => isUsable),
        [false, true],
      );
    });

    test("need not all be there", async (context) => {
      const server = await startServer(context);
      const backend = balance(context, [await closedAddress(), server.address], { policy });
      for (let i = 0; i < 10; i++) assert.equal((await run(backend, say, [hello])).status?.code, Code.OK);
      assert.equal(server.calls.started, 10);
    });

    test("fail calls with the reason of each when none is there", async (context) => {
      const addresses = [await closedAddress(), await closedAddress()];
      const backend = balance(context, addresses, { policy });
      const { status } = await run(backend, say, [hello]);
      assert.equal(status?.code, Code.UNAVAILABLE);
      assert.match(
        status.message,
        /^no address of 127.+ can be called: 127.+ECONNREFUSED.+; 127.+ECONNREFUSED/,
      );
      assert.equal(backend.state().kind, "backoff");
      // From now on at once, as nothing is worth waiting for.
      assert.equal((await run(backend, say, [hello])).status?.code, Code.UNAVAILABLE);
      assert.equal(backend.counters().waitingCalls, 0);
    });

    test("lose no call when one is killed in the middle of traffic", async (context) => {
      const servers = await startServers(context, 3);
      const backend = balance(context, addressesOf(servers), { policy, retry: {} });
      await allUsable(backend, 3);
      const heard: Recording[] = [];
      const client = async (): Promise<void> => {
        for (let i = 0; i < 10; i++) heard.push(await run(backend, say, [hello]));
      };
      const [victim] = servers;
      assert.ok(victim);
      const clients = Array.from({ length: 16 }, client);
      await victim.calls.until(({ started }) => started > 40);
      await victim.kill();
      await Promise.all(clients);
      assert.equal(heard.length, 160);
      for (const { status, texts } of heard)
        assert.deepEqual([status?.code, texts], [0, ["hello"]], status?.message);
      assert.equal(statusOf(backend, victim.address).isUsable, false);
      const { openCalls, waitingCalls, refusedRetries } = backend.counters();
      assert.deepEqual([openCalls, waitingCalls, refusedRetries], [0, 0, 0]);
    });

    test("lose no call when one says goodbye, without any retry", async (context) => {
      const servers = await startServers(context, 2);
      const backend = balance(context, addressesOf(servers), { policy });
      await allUsable(backend, 2);
      const clients = Array.from({ length: 8 }, async () => {
        for (let i = 0; i < 10; i++) {
          const { status } = await run(backend, say, [hello]);
          assert.equal(status?.code, Code.OK, status?.message);
        }
      });
      const [first] = servers;
      assert.ok(first);
      await first.calls.until(({ started }) => started > 20);
      first.goAway(5_000);
      await Promise.all(clients);
    });

    test("get back one that was killed and started again", async (context) => {
      const [first, second] = await startServers(context, 2);
      assert.ok(first && second);
      const backend = balance(context, [first.address, second.address], { policy });
      await allUsable(backend, 2);
      await first.kill();
      await until(backend, () => !statusOf(backend, first.address).isUsable);
      assert.equal((await run(backend, say, [hello])).status?.code, Code.OK);
      const again = await startServer(context, { port: first.port });
      await allUsable(backend, 2);
      while (again.calls.started === 0) await run(backend, say, [hello]);
    });

    test("leave out one that says NOT_SERVING, until it serves again", async (context) => {
      const health = new ServerHealth();
      const [well, sick] = await Promise.all([startServer(context), startServer(context, { health })]);
      health.set("orders", "NOT_SERVING");
      const backend = balance(context, [well.address, sick.address], {
        policy,
        health: { service: "orders" },
      });
      backend.connect();
      await until(backend, () => statusOf(backend, sick.address).health?.kind === "not_serving");
      await untilState(backend, "ready");
      for (let i = 0; i < 10; i++) await run(backend, say, [hello]);
      assert.equal(statusOf(backend, sick.address).startedCalls, 0);
      health.set("orders", "SERVING");
      await allUsable(backend, 2);
      while (statusOf(backend, sick.address).startedCalls === 0) await run(backend, say, [hello]);
      health.set("orders", "NOT_SERVING");
      await until(backend, () => !statusOf(backend, sick.address).isUsable);
    });

    test("end their calls within the time that closing gives them", async (context) => {
      const servers = await startServers(context, 2);
      const backend = balance(context, addressesOf(servers), { policy });
      await allUsable(backend, 2);
      const calls = [open(backend, converse), open(backend, converse)];
      for (const { call } of calls) call.send(hello);
      for (const { heard } of calls) await heard.until(({ messages }) => messages.length === 1);
      const closed = backend.close(5_000);
      assert.equal(backend.state().kind, "draining");
      assert.match((await run(backend, say, [hello])).status?.message ?? "", /shutting down/);
      for (const { call, heard } of calls) {
        call.halfClose();
        assert.equal((await heard.ended()).code, Code.OK);
      }
      await closed;
      assert.equal(backend.state().kind, "closed");
      await backend.close(0);
    });
  });
}

test("least_requests gives a slow address fewer calls", async (context) => {
  const [fast, slow] = await startServers(context, 2);
  assert.ok(fast && slow);
  const proxy = await startFaultProxy(slow.address);
  context.after(() => proxy.close());
  const share = async (policy: PolicyName): Promise<number> => {
    const backend = balance(context, [fast.address, proxy.address], { policy });
    await allUsable(backend, 2);
    proxy.set({ latencyMs: 20 });
    let left = 240;
    const client = async (): Promise<void> => {
      while (left-- > 0) assert.equal((await run(backend, say, [hello])).status?.code, Code.OK);
    };
    await Promise.all(Array.from({ length: 16 }, client));
    proxy.set({});
    return statusOf(backend, proxy.address).startedCalls / 240;
  };
  const fair = await share("round_robin");
  const apt = await share("least_requests");
  assert.ok(Math.abs(fair - 0.5) < 0.05, String(fair));
  assert.ok(apt < 0.35, String(apt));
});

describe("a call that waits for an address", () => {
  test("keeps its messages, its half-close and that it is paused", async (context) => {
    const server = await startServer(context);
    const proxy = await startFaultProxy(server.address);
    context.after(() => proxy.close());
    proxy.set({ stall: true });
    const backend = balance(context, [proxy.address]);
    const { call, heard } = open(backend, converse);
    call.pause();
    assert.equal(call.send(hello), true);
    assert.equal(call.send(new Uint8Array(70_000)), false);
    proxy.set({});
    await heard.until(({ events }) => events.includes("drain"));
    await server.calls.until(({ records }) => records[0]?.received === 2);
    assert.deepEqual(heard.messages, []);
    call.halfClose();
    call.resume();
    assert.equal((await heard.ended()).code, Code.OK);
    assert.equal(heard.messages.length, 2);
  });

  test("ends at its deadline", async (context) => {
    const backend = balance(context, [await silentAddress(context)]);
    const { status } = await run(backend, say, [hello], { timeout: 20 });
    assert.equal(status?.code, Code.DEADLINE_EXCEEDED);
    assert.match(status.message, /the deadline of 20 ms passed while it waited for an address of 127/);
    assert.equal(backend.counters().waitingCalls, 0);
  });

  test("has what its deadline leaves when it runs", async (context) => {
    const server = await startServer(context);
    const backend = balance(context, [server.address]);
    const { status } = await run(backend, sleep, [new Uint8Array()], { timeout: 50 });
    assert.equal(status?.code, Code.DEADLINE_EXCEEDED);
  });

  test("ends when it is cancelled", async (context) => {
    const backend = balance(context, [await silentAddress(context)]);
    const { call, heard } = open(backend, say);
    call.cancel();
    call.cancel();
    assert.deepEqual(heard.events, ["end"]);
    assert.equal(heard.status?.code, Code.CANCELLED);
    assert.equal(call.send(hello), false);
    assert.equal(backend.counters().waitingCalls, 0);
  });

  test("ends when the gateway shuts down", async (context) => {
    const backend = balance(context, [await silentAddress(context)]);
    const { heard } = open(backend, say);
    await backend.close(5_000);
    assert.match((await heard.ended()).message, /shutting down/);
  });

  test("is refused when too many wait", async (context) => {
    const backend = balance(context, [await silentAddress(context)], { maxWaitingCalls: 2 });
    open(backend, say);
    open(backend, say);
    const { status } = await run(backend, say, [hello]);
    assert.equal(status?.code, Code.RESOURCE_EXHAUSTED);
    assert.match(status.message, /2 calls already wait for an address of 127.+, which is the maximum/);
  });
});

describe("a name", () => {
  test("is all of its addresses, which keep its authority", async (context) => {
    const servers = await startOn(context, "127.0.0.1", "127.0.0.2", "127.0.0.3");
    const [{ port } = { port: 0 }] = servers;
    const backend = balance(context, `dns:///orders.test:${port}`, {
      resolution: { resolver: async () => ["127.0.0.1", "127.0.0.2", "127.0.0.3"] },
    });
    const first = await run(backend, say, [hello]);
    assert.equal(first.status?.code, Code.OK);
    await allUsable(backend, 3);
    for (let i = 0; i < 12; i++) await run(backend, say, [hello]);
    for (const { calls } of servers) {
      assert.ok(calls.started >= 3);
      for (const { authority } of calls.records) assert.equal(authority, `orders.test:${port}`);
    }
  });

  test("is the name that the certificate must have", async (context) => {
    const server = await startServer(context, { tls: true });
    const options = {
      tls: { ca: testCertificates().ca },
      resolution: { resolver: async () => ["127.0.0.1"] },
    };
    const good = balance(context, `dns:///localhost:${server.port}`, options);
    assert.equal((await run(good, say, [hello])).status?.code, Code.OK);
    const bad = balance(context, `dns:///other.test:${server.port}`, options);
    assert.match((await run(bad, say, [hello])).status?.message ?? "", /other\.test/);
  });

  test("is asked for again when a connection is lost; new addresses join", async (context) => {
    const [first, second] = await startOn(context, "127.0.0.1", "127.0.0.2");
    assert.ok(first && second);
    let addresses = ["127.0.0.1"];
    const backend = balance(context, `dns:///orders.test:${first.port}`, {
      resolution: { resolver: async () => addresses, minPauseMs: 0 },
    });
    assert.equal((await run(backend, say, [hello])).status?.code, Code.OK);
    addresses = ["127.0.0.2"];
    await first.kill();
    await until(backend, () => backend.addresses().some(({ address }) => address === second.address));
    await allUsable(backend, 1);
    assert.equal((await run(backend, say, [hello])).status?.code, Code.OK);
    assert.equal(second.calls.started, 1);
  });

  test("that loses an address lets the calls on it end", async (context) => {
    const [first, second] = await startOn(context, "127.0.0.1", "127.0.0.2");
    assert.ok(first && second);
    let addresses = ["127.0.0.1"];
    const backend = balance(context, `dns:///orders.test:${first.port}`, {
      resolution: { resolver: async () => addresses, minPauseMs: 0 },
    });
    const { call, heard } = open(backend, converse);
    call.send(hello);
    await heard.until(({ messages }) => messages.length === 1);
    addresses = ["127.0.0.2"];
    // The server says goodbye, which is a connection less to call on.
    first.goAway(5_000);
    await until(backend, () => statusOf(backend, first.address).state.kind === "draining");
    await until(backend, () => statusOf(backend, second.address).isUsable);
    for (let i = 0; i < 4; i++) await run(backend, say, [hello]);
    assert.deepEqual([first.calls.started, second.calls.started], [1, 4]);
    call.send(hello);
    call.halfClose();
    assert.equal((await heard.ended()).code, Code.OK);
    assert.deepEqual(heard.messages.map(textOf).length, 2);
    await until(backend, () => backend.addresses().length === 1);
  });

  test("that cannot be resolved says so, and mends itself", async (context) => {
    const server = await startServer(context);
    let isThere = false;
    const backend = balance(context, `dns:///orders.test:${server.port}`, {
      resolution: {
        resolver: async () => {
          if (!isThere) throw new Error("getaddrinfo ENOTFOUND orders.test");
          return ["127.0.0.1"];
        },
        intervalMs: 10,
        minPauseMs: 0,
      },
    });
    const { status } = await run(backend, say, [hello]);
    assert.equal(status?.code, Code.UNAVAILABLE);
    assert.match(status.message, /the name orders\.test is not resolved: getaddrinfo ENOTFOUND/);
    isThere = true;
    await untilState(backend, "ready");
    assert.equal((await run(backend, say, [hello])).status?.code, Code.OK);
  });
});

describe("health", () => {
  test("of a server without the service is good", async (context) => {
    const [server] = await startServers(context, 1);
    assert.ok(server);
    const backend = balance(context, [server.address], { health: {} });
    assert.equal((await run(backend, say, [hello])).status?.code, Code.OK);
  });

  test("that no address has fails calls with what they say", async (context) => {
    const health = new ServerHealth();
    health.set("", "NOT_SERVING");
    const server = await startServer(context, { health });
    const backend = balance(context, [server.address], { health: {} });
    const { status } = await run(backend, say, [hello]);
    assert.equal(status?.code, Code.UNAVAILABLE);
    assert.match(status.message, /its health is NOT_SERVING/);
  });

  test("is kept when the server ends the watch, and asked for again", async (context) => {
    const health = new ServerHealth();
    const server = await startServer(context, { health });
    const backend = balance(context, [server.address], { health: { backoff: { initialMs: 5 } } });
    await allUsable(backend, 1);
    health.endWatches();
    await server.calls.until(({ started }) => started === 2);
    assert.equal(statusOf(backend, server.address).isUsable, true);
    health.set("", "NOT_SERVING");
    await until(backend, () => !statusOf(backend, server.address).isUsable);
  });
});

test("an address whose calls go wrong is taken out", async (context) => {
  const servers = await startServers(context, 2);
  // The server never answers in time.
  const deadline = { timeout: 30 };
  const backend = balance(context, addressesOf(servers), {
    outlier: { consecutiveFailures: 2, minDeadlineMs: 30 },
  });
  await allUsable(backend, 2);
  while (!backend.addresses().some(({ isEjected }) => isEjected)) {
    await run(backend, sleep, [new Uint8Array()], deadline);
  }
  const out = backend.addresses().filter(({ isEjected }) => isEjected);
  assert.equal(out.length, 1);
  const [address] = out;
  assert.ok(address && !address.isUsable && address.failedCalls >= 2);
  for (let i = 0; i < 4; i++) await run(backend, say, [hello]);
  assert.equal(statusOf(backend, address.address).startedCalls, address.startedCalls);
});

test("an error names five addresses at most", async (context) => {
  const addresses = await Promise.all(Array.from({ length: 7 }, closedAddress));
  const backend = balance(context, addresses);
  const { status } = await run(backend, say, [hello]);
  assert.equal(status?.message.match(/connect ECONNREFUSED/g)?.length, 5, status?.message);
  assert.match(status.message, /; and 2 more$/);
});

test("compression is what all addresses accept", async (context) => {
  const servers = await startServers(context, 2);
  const backend = balance(context, addressesOf(servers));
  await allUsable(backend, 2);
  assert.deepEqual([...(backend.acceptEncodings ?? [])], []);
  await run(backend, say, [hello]);
  assert.deepEqual([...(backend.acceptEncodings ?? [])], []);
  await run(backend, say, [hello]);
  assert.ok(backend.acceptEncodings?.has("gzip"));
});

test("a target that makes no sense is refused", () => {
  assert.throws(() => balance({ after: () => {} } as unknown as TestContext, "a:1,b"), RpcError);
});
