import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { inspect } from "node:util";
import { Adapter, type Room, Server, type SocketId } from "../src/index.ts";
import { SetsByKey } from "../src/adapter/sets-by-key.ts";

function createAdapter(): { adapter: Adapter; events: unknown[][] } {
  const adapter = new Adapter(new Server().of("/"));
  const events: unknown[][] = [];
  for (const name of ["create-room", "join-room", "leave-room", "delete-room"]) {
    adapter.on(name, (...args: unknown[]) => events.push([name, ...args]));
  }
  return { adapter, events };
}

describe("an adapter in memory", () => {
  test("tells of rooms that begin and end, and of who joins and leaves", () => {
    const { adapter, events } = createAdapter();
    void adapter.addAll("ann", new Set(["ann", "tea"]));
    void adapter.addAll("bob", new Set(["tea"]));
    void adapter.addAll("bob", new Set(["tea"]));
    void adapter.del("ann", "tea");
    void adapter.del("ann", "tea");
    void adapter.del("nobody", "nothing");
    void adapter.delAll("bob");
    void adapter.delAll("bob");
    void adapter.delAll("ann");
    assert.deepEqual(events, [
      ["create-room", "ann"],
      ["join-room", "ann", "ann"],
      ["create-room", "tea"],
      ["join-room", "tea", "ann"],
      ["join-room", "tea", "bob"],
      ["leave-room", "tea", "ann"],
      ["leave-room", "tea", "bob"],
      ["delete-room", "tea"],
      ["leave-room", "ann", "ann"],
      ["delete-room", "ann"],
    ]);
    assert.equal(adapter.rooms.size, 0);
    assert.equal(adapter.sids.size, 0);
  });

  test("shows its rooms and sockets as maps of sets", () => {
    const { adapter } = createAdapter();
    void adapter.addAll("ann", new Set(["ann"]));
    void adapter.addAll("bob", new Set(["bob", "tea"]));
    void adapter.addAll("bob", new Set(["ann"]));
    const rooms: [Room, Set<SocketId>][] = [
      ["ann", new Set(["ann", "bob"])],
      ["bob", new Set(["bob"])],
      ["tea", new Set(["bob"])],
    ];
    assert.deepEqual([...adapter.rooms], rooms);
    assert.deepEqual(
      [...adapter.sids],
      [
        ["ann", new Set(["ann"])],
        ["bob", new Set(["bob", "tea", "ann"])],
      ],
    );
    assert.deepEqual(adapter.socketRooms("ann"), new Set(["ann"]));
    assert.equal(adapter.socketRooms("cyd"), undefined);
  });

  test("has a socket that is in no room, not even its own", () => {
    const { adapter } = createAdapter();
    void adapter.addAll("ann", new Set());
    assert.deepEqual(adapter.socketRooms("ann"), new Set());
    void adapter.addAll("ann", new Set(["ann"]));
    void adapter.del("ann", "ann");
    assert.deepEqual(adapter.socketRooms("ann"), new Set());
    assert.equal(adapter.rooms.has("ann"), false);
  });

  test("is the only server, which has nobody to tell what is for others", async () => {
    const { adapter } = createAdapter();
    assert.equal(await adapter.serverCount(), 1);
    const answers: unknown[] = [];
    void adapter.serverSideEmit(["news"]);
    void adapter.serverSideEmit(["question", (...args: unknown[]) => answers.push(args)]);
    assert.deepEqual(answers, [[null, []]]);
  });

  test("keeps no session", () => {
    const { adapter } = createAdapter();
    void adapter.persistSession({ sid: "ann", pid: "secret", rooms: [], data: undefined });
    assert.equal(adapter.restoreSession("secret", undefined), undefined);
  });
});

describe("sets by key", () => {
  test("are sets however they are looked at", () => {
    const views: ((sets: SetsByKey) => unknown)[] = [
      (sets) => sets.get("a"),
      (sets) => [...sets][0]?.[1],
      (sets) => [...sets.values()][0],
      (sets) => [...sets.entries()][0]?.[1],
      (sets) => new Map(sets).get("a"),
      (sets) => sets.membersOf("a"),
      (sets) => {
        let seen: unknown;
        sets.forEach((set) => (seen = set));
        return seen;
      },
    ];
    for (const view of views) {
      const sets = new SetsByKey();
      sets.add("a", "a");
      assert.deepEqual(view(sets), new Set(["a"]), view.toString());
    }
    const sets = new SetsByKey();
    sets.add("a", "a");
    assert.equal(inspect(sets), "Map(1) { 'a' => Set(1) { 'a' } }");
  });

  test("stay the ones that were looked at", () => {
    const sets = new SetsByKey();
    sets.add("a", "a");
    const seen = sets.get("a");
    sets.add("a", "b");
    assert.equal(sets.get("a"), seen);
    assert.deepEqual(seen, new Set(["a", "b"]));
  });

  test("tell whether a member is new, and whether it was there", () => {
    const sets = new SetsByKey();
    const results = [
      sets.add("a", "a"),
      sets.add("a", "a"),
      sets.add("a", "b"),
      sets.add("a", "b"),
      sets.remove("a", "c"),
      sets.remove("a", "a"),
      sets.remove("a", "a"),
      sets.remove("x", "x"),
      sets.add("y", "z"),
      sets.add("y", "y"),
      sets.add("q", "q"),
      sets.remove("q", "other"),
      sets.remove("q", "q"),
    ];
    assert.deepEqual(results, [
      true,
      false,
      true,
      false,
      false,
      true,
      false,
      false,
      true,
      true,
      true,
      false,
      true,
    ]);
    assert.deepEqual(
      [...sets],
      [
        ["a", new Set(["b"])],
        ["y", new Set(["z", "y"])],
        ["q", new Set()],
      ],
    );
  });
});
