import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Broker, Message, type MessageInit, type Published } from "@sluice/hub";
import { hubSuite } from "./hub-suite.ts";
import { Inbox } from "./inbox.ts";
import { history, newRoom, ttlMs } from "./room.ts";

/** How a broker is tested. */
export interface BrokerSuiteOptions {
  /** A broker for one node; the suite attaches and closes it. */
  readonly create: () => Broker | Promise<Broker>;
  /** A broker for another node of the same rooms. Default: it is for one node only. */
  readonly createPeer?: () => Broker | Promise<Broker>;
  /** Lets time pass for the broker: its histories grow older. */
  readonly pass: (milliseconds: number) => void | Promise<void>;
}

/** The tests that every broker must pass: its contract in `Broker`, and a hub on top of it. */
export function brokerSuite(name: string, { create, createPeer, pass }: BrokerSuiteOptions): void {
  describe(`${name} as a broker`, { timeout: 60_000 }, () => {
    let broker: Broker;
    const inbox = new Inbox();

    before(async () => {
      broker = await create();
      broker.attach(inbox.receive, () => undefined);
    });

    after(() => broker.close());

    const publish = (
      room: string,
      data: string,
      more: Partial<Parameters<Broker["publish"]>[0]> = {},
    ): Promise<Published> => broker.publish({ room, message: Message.from(data), ...more });

    test("gives what is published to a room without history to who subscribed to it", async () => {
      const [room, other] = [newRoom(), newRoom()];
      await broker.subscribe(room);
      assert.deepEqual(await publish(room, "1"), { epoch: "", offset: 0, duplicate: false });
      await publish(other, "elsewhere");
      await publish(room, "2");
      assert.deepEqual(await inbox.texts(room, 2), ["1", "2"]);
      assert.deepEqual(await inbox.texts(other, 0), []);
    });

    test("gives nothing from before the subscription, or from after its end", async () => {
      const room = newRoom();
      await publish(room, "before");
      await broker.subscribe(room);
      await publish(room, "1");
      assert.deepEqual(await inbox.texts(room, 1), ["1"]);
      await broker.unsubscribe(room);
      await publish(room, "after");
      // The order of calls counts, not that of answers.
      await Promise.all([broker.subscribe(room), broker.unsubscribe(room), broker.subscribe(room)]);
      await publish(room, "2");
      assert.deepEqual(await inbox.texts(room, 2), ["1", "2"]);
    });

    test("numbers what it keeps, from 1 on and without a gap, in the order in which it is received", async () => {
      const room = newRoom();
      await broker.subscribe(room);
      const published = await Promise.all(
        Array.from({ length: 50 }, (_, index) => publish(room, String(index), { history })),
      );
      const offsets = published.map(({ offset }) => offset).toSorted((a, b) => a - b);
      assert.deepEqual(
        offsets,
        Array.from({ length: 50 }, (_, index) => index + 1),
      );
      assert.equal(new Set(published.map(({ epoch }) => epoch)).size, 1);
      assert.notEqual(published[0]?.epoch, "");
      const page = await broker.history(room, { limit: 100 });
      assert.deepEqual([page.offset, page.publications.length, page.complete], [50, 50, true]);
      for (const { offset, message, epoch, room: of } of page.publications) {
        const index = Number(message.data);
        assert.deepEqual([offset, epoch], [published[index]?.offset, published[index]?.epoch]);
        assert.equal(of, room);
      }
      const received = inbox.received.filter((each) => each.room === room).map(({ offset }) => offset);
      assert.deepEqual(
        received,
        received.toSorted((a, b) => a - b),
      );
    });

    test("carries everything that a message and a publication have", async () => {
      const room = newRoom();
      const said: MessageInit[] = [
        { data: '{"a":"ü\u0000\u{1f600}"}', isJson: true, type: "note", from: 4_294_967_295 },
        { data: Uint8Array.of(0, 255, 10, 13), type: "7" },
        { data: "" },
        { data: new Uint8Array(0) },
      ];
      await broker.subscribe(room);
      const start = Date.now();
      for (const message of said)
        await broker.publish({ room, message: new Message(message), history, except: "me" });
      const { publications } = await broker.history(room, { limit: 10 });
      const live = inbox.received.filter((each) => each.room === room);
      for (const { message, except, publishedAt } of [...publications, ...live]) {
        const init = said.find(({ data }) => isSame(data, message.data));
        assert.deepEqual(
          [message.isJson, message.type, message.from, except],
          [init?.isJson ?? false, init?.type ?? "", init?.from ?? 0, "me"],
        );
        assert.ok(publishedAt > start - 1e12, "milliseconds since 1970");
      }
      assert.ok(
        publications.every(({ message }, index) => isSame(said[index]?.data ?? "?", message.data)),
        "text stays text, bytes stay bytes",
      );
    });

    test("publishes once for one idempotency key of one room", async () => {
      for (const more of [{}, { history }]) {
        const [room, other] = [newRoom(), newRoom()];
        const idempotencyKey = "key:1";
        const tries = await Promise.all(
          Array.from({ length: 10 }, () => publish(room, "once", { ...more, idempotencyKey })),
        );
        assert.equal(tries.filter(({ duplicate }) => !duplicate).length, 1);
        assert.equal(new Set(tries.map(({ epoch, offset }) => `${epoch} ${offset}`)).size, 1);
        assert.equal((await publish(other, "once", { ...more, idempotencyKey })).duplicate, false);
        assert.equal((await publish(room, "twice", { ...more, idempotencyKey: "key:2" })).duplicate, false);
      }
    });

    test("publishes for the expected epoch only", async () => {
      const room = newRoom();
      await assert.rejects(publish(room, "0", { history, expectedEpoch: "none" }), { code: "ABORTED" });
      const { epoch, offset } = await publish(room, "1", { history });
      assert.equal(offset, 1);
      assert.equal((await publish(room, "2", { history, expectedEpoch: epoch })).offset, 2);
      await assert.rejects(publish(room, "3", { history, expectedEpoch: `${epoch}x` }), { code: "ABORTED" });
      assert.equal((await broker.history(room, { limit: 0 })).offset, 2);
    });

    test("gives parts of a history, forwards and backwards", async () => {
      const room = newRoom();
      const { epoch } = await publish(room, "1", { history });
      for (const text of ["2", "3", "4"]) await publish(room, text, { history });
      const read = async (request: Parameters<Broker["history"]>[1]): Promise<unknown[]> => {
        const page = await broker.history(room, request);
        assert.deepEqual([page.epoch, page.offset], [epoch, 4]);
        return [page.publications.map(({ message }) => message.data).join(""), page.complete];
      };
      const at = (offset: number): { epoch: string; offset: number } => ({ epoch, offset });
      assert.deepEqual(await read({ limit: 10 }), ["1234", true]);
      assert.deepEqual(await read({ limit: 2 }), ["12", true]);
      assert.deepEqual(await read({ limit: 0 }), ["", true]);
      assert.deepEqual(await read({ limit: 10, since: at(0) }), ["1234", true]);
      assert.deepEqual(await read({ limit: 1, since: at(2) }), ["3", true]);
      assert.deepEqual(await read({ limit: 10, since: at(4) }), ["", true]);
      assert.deepEqual(await read({ limit: 10, since: at(5) }), ["", false]);
      assert.deepEqual(await read({ limit: 10, since: { epoch: "other", offset: 1 } }), ["", false]);
      assert.deepEqual(await read({ limit: 3, reverse: true }), ["432", true]);
      assert.deepEqual(await read({ limit: 10, reverse: true, since: at(3) }), ["21", true]);
      assert.deepEqual(await read({ limit: 10, reverse: true, since: at(1) }), ["", true]);
    });

    test("keeps no more of a history than it should, and says so", async () => {
      const room = newRoom();
      const small = { size: 2, ttlMs };
      const { epoch } = await publish(room, "1", { history: small });
      for (const text of ["2", "3"]) await publish(room, text, { history: small });
      const page = await broker.history(room, { limit: 10, since: { epoch, offset: 0 } });
      assert.deepEqual(
        [page.publications.map(({ message }) => message.data), page.complete],
        [["2", "3"], false],
      );
      assert.equal((await broker.history(room, { limit: 10, since: { epoch, offset: 1 } })).complete, true);
    });

    test("forgets what is too old, but not where a subscribed room is", async () => {
      const room = newRoom();
      await broker.subscribe(room);
      const { epoch } = await publish(room, "1", { history });
      await pass(ttlMs);
      const missed = await broker.history(room, { limit: 10, since: { epoch, offset: 0 } });
      assert.deepEqual(
        [missed.epoch, missed.offset, missed.publications, missed.complete],
        [epoch, 1, [], false],
      );
      const current = await broker.history(room, { limit: 10, since: { epoch, offset: 1 } });
      assert.equal(current.complete, true);
      assert.deepEqual(await publish(room, "2", { history }), { epoch, offset: 2, duplicate: false });
    });

    test("knows the epoch of a subscribed room before anything is published to it", async () => {
      const room = newRoom();
      await broker.subscribe(room);
      const { epoch, offset, complete } = await broker.history(room, { limit: 0 });
      assert.notEqual(epoch, "");
      assert.deepEqual([offset, complete], [0, true]);
      assert.deepEqual(await publish(room, "1", { history }), { epoch, offset: 1, duplicate: false });
      const page = await broker.history(room, { limit: 10, since: { epoch, offset: 0 } });
      assert.deepEqual([page.publications.length, page.complete], [1, true]);
    });

    test("knows nothing of a room that never was", async () => {
      const { offset, publications, complete } = await broker.history(newRoom(), {
        limit: 10,
        since: { epoch: "gone", offset: 3 },
      });
      assert.deepEqual([offset, publications, complete], [0, [], false]);
    });

    test("receives nothing once it is closed", async () => {
      const [own, room] = [await create(), newRoom()];
      const received = new Inbox();
      own.attach(received.receive, () => undefined);
      await own.subscribe(room);
      await own.close();
      await publish(room, "1");
      assert.deepEqual(received.received, []);
    });

    if (createPeer !== undefined) {
      test("gives another node the same, in the same order", async () => {
        const room = newRoom();
        const peer = await createPeer();
        const received = new Inbox();
        peer.attach(received.receive, () => undefined);
        try {
          await Promise.all([broker.subscribe(room), peer.subscribe(room)]);
          await Promise.all(
            Array.from({ length: 20 }, (_, index) =>
              (index % 2 === 0 ? broker : peer).publish({
                room,
                message: Message.from(String(index)),
                history,
              }),
            ),
          );
          const mine = await inbox.texts(room, 20);
          assert.deepEqual(await received.texts(room, 20), mine);
        } finally {
          await peer.close();
        }
      });
    }
  });

  hubSuite(name, create);
}

function isSame(one: string | Uint8Array, other: string | Uint8Array): boolean {
  if (typeof one === "string" || typeof other === "string") return one === other;
  return Buffer.from(one).equals(other);
}
