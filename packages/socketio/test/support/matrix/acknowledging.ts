import assert from "node:assert/strict";
import { type Behaviour, bytes, inbox, next } from "./cell.ts";

type Answer = (...args: unknown[]) => void;

/** Asks a client of any version. */
function ask(
  client: { emit(name: string, ...args: unknown[]): unknown },
  ...args: unknown[]
): Promise<unknown[]> {
  return new Promise((resolve) => {
    client.emit("ask", ...args, (...answers: unknown[]) => resolve(answers));
  });
}

/** The answers of several, which come in any order. */
function inOrder(answers: unknown): number[] {
  return (answers as number[]).toSorted((one, other) => one - other);
}

/** Answers with the arguments. */
function answer(...args: unknown[]): void {
  (args.pop() as Answer)(...args);
}

/** Events that are answered. */
export const acknowledging: readonly Behaviour[] = [
  {
    name: "is answered by the server, with any arguments",
    async run(cell) {
      const { client, server } = await cell.connect();
      server.on("ask", answer);
      for (const list of [[], [1], ["a", { b: [null] }, "€"]])
        assert.deepEqual(await ask(client, ...list), list);
    },
  },
  {
    name: "answers the server, with any arguments",
    async run(cell) {
      const { client, server } = await cell.connect();
      client.on("ask", answer);
      for (const list of [[], [1], ["a", { b: [null] }, "€"]])
        assert.deepEqual(await ask(server, ...list), list);
    },
  },
  {
    name: "asks and answers bytes",
    async run(cell) {
      const { client, server } = await cell.connect();
      server.on("ask", answer);
      client.on("ask", answer);
      const data = Buffer.from([1, 2, 3]);
      for (const side of [client, server]) {
        const [first, object, last] = await ask(side, data, { nested: data }, 4);
        const { nested } = object as { nested: unknown };
        assert.deepEqual([bytes(first), bytes(nested), last], [data, data, 4]);
      }
    },
  },
  {
    name: "has many answers, in whatever order they come, each to its own question",
    async run(cell) {
      const { client, server } = await cell.connect();
      const waiting: (() => void)[] = [];
      const later = (index: number, tell: Answer): void => {
        waiting.push(() => tell(index));
        if (waiting.length === 40) for (const each of waiting.splice(0).toReversed()) each();
      };
      server.on("ask", later);
      client.on("ask", later);
      for (const side of [client, server]) {
        const answers = await Promise.all(Array.from({ length: 40 }, (_, index) => ask(side, index)));
        assert.deepEqual(
          answers,
          Array.from({ length: 40 }, (_, index) => [index]),
        );
      }
    },
  },
  {
    name: "is answered once, however often the server answers",
    async run(cell) {
      const { client, server } = await cell.connect();
      server.on("ask", (tell: Answer) => {
        tell("first");
        tell("second");
        server.emit("behind");
      });
      let answers = 0;
      const behind = next(client, "behind");
      client.emit("ask", () => void answers++);
      await behind;
      assert.equal(answers, 1);
    },
  },
  {
    name: "answers a promise of the server, or is too late",
    async run(cell) {
      const { client, server } = await cell.connect();
      client.on("ask", answer);
      const unanswered = next(client, "nothing");
      assert.equal(await server.emitWithAck("ask", 1), 1);
      assert.equal(await server.timeout(5000).emitWithAck("ask", 2), 2);
      await assert.rejects(server.timeout(20).emitWithAck("nothing"), /operation has timed out/);
      await unanswered;
    },
  },
  {
    name: "answers in the time that the server gives, or is too late",
    async run(cell) {
      const { client, server } = await cell.connect();
      client.on("ask", answer);
      const inTime = await new Promise((resolve) => {
        server.timeout(5000).emit("ask", 1, (...args: unknown[]) => resolve(args));
      });
      assert.deepEqual(inTime, [null, 1]);
      const late = inbox(client, "late");
      const error = await new Promise((resolve) => {
        server.timeout(20).emit("late", (...args: unknown[]) => resolve(args[0]));
      });
      assert.match(String(error), /operation has timed out/);
      // Nobody waits for it any more.
      answer(...(await late.next()));
      client.emit("behind");
      await next(server, "behind");
    },
  },
  {
    name: "gives the server a time to answer",
    since: "4.4",
    async run(cell) {
      const { client, server } = await cell.connect();
      server.on("ask", answer);
      server.on("nothing", () => undefined);
      const inTime = await new Promise((resolve) => {
        client.timeout(5000).emit("ask", 1, (...args: unknown[]) => resolve(args));
      });
      assert.deepEqual(inTime, [null, 1]);
      const error = await new Promise((resolve) => {
        client.timeout(20).emit("nothing", (...args: unknown[]) => resolve(args[0]));
      });
      assert.match(String(error), /operation has timed out/);
    },
  },
  {
    name: "has a promise of the server's answer",
    since: "4.6",
    async run(cell) {
      const { client, server } = await cell.connect();
      server.on("ask", answer);
      server.on("nothing", () => undefined);
      assert.equal(await client.emitWithAck("ask", "what"), "what");
      await assert.rejects(client.timeout(20).emitWithAck("nothing"), /operation has timed out/);
    },
  },
  {
    name: "answers a broadcast, with all others",
    async run(cell) {
      const pairs = await Promise.all([cell.join(), cell.join(), cell.join()]);
      for (const [index, { client }] of pairs.entries()) {
        client.on("ask", (question: number, tell: Answer) => tell(question + index, "more"));
      }
      const answers = await cell.namespace.timeout(5000).emitWithAck("ask", 10);
      assert.deepEqual(inOrder(answers), [10, 11, 12]);
      const nobody = await cell.namespace.to("nobody").timeout(5000).emitWithAck("ask", 10);
      assert.deepEqual(nobody, []);
      const [first] = pairs;
      const others = await first.server.broadcast.timeout(5000).emitWithAck("ask", 20);
      assert.deepEqual(inOrder(others), [21, 22]);
    },
  },
  {
    name: "does not hold up the answers of others to a broadcast",
    async run(cell) {
      const [first, second] = await Promise.all([cell.join(), cell.join()]);
      first.client.on("ask", (tell: Answer) => tell("here"));
      const asked = next(second.client, "ask");
      const [error, answers] = await new Promise<unknown[]>((resolve) => {
        cell.namespace.timeout(1500).emit("ask", (...args: unknown[]) => resolve(args));
      });
      assert.match(String(error), /operation has timed out/);
      assert.deepEqual(answers, ["here"]);
      await asked;
    },
  },
];
