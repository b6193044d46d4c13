import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Broker, type Face, Hub, type Link, type Published } from "@sluice/hub";
import { history, newRoom } from "./room.ts";

/** A client of a hub, and a way to wait for what it is sent. */
class Client implements Link<string> {
  readonly face: Face<string> = {
    name: "suite",
    message: ({ data }) => String(data),
    publication: ({ message }) => String(message.data),
  };
  readonly frames: string[] = [];
  readonly drops: string[] = [];
  readonly bufferedAmount = 0;
  #waiting: (() => void) | undefined;

  opening(): void {}
  opened(): void {}

  send(frame: string): boolean {
    this.frames.push(frame);
    this.#waiting?.();
    return true;
  }

  dropped({ reason, room, count }: { reason: string; room: string; count: number }): void {
    this.drops.push(`${reason} ${room} ${count}`);
  }

  ping(): void {}
  close(): void {}
  pause(): void {}
  resume(): void {}

  async frame(text: string): Promise<void> {
    while (!this.frames.includes(text)) {
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
  }
}

/** The tests of a hub on a broker. */
export function hubSuite(name: string, create: () => Broker | Promise<Broker>): void {
  describe(`a hub on ${name}`, { timeout: 60_000 }, () => {
    test("gives its sessions everything, in one order and once, whoever joins when", async () => {
      const hub = new Hub({ broker: await create(), rooms: () => ({ history }) });
      const room = newRoom();
      const join = async (since?: { epoch: string; offset: number }): Promise<[Client, number, boolean]> => {
        const client = new Client();
        const result = await hub.attach(client, { address: "", path: "", query: "", headers: {} });
        assert.ok("attachment" in result);
        const { session } = result.attachment;
        const { offset, recovered } = await session.join(room, since === undefined ? {} : { since });
        return [client, since === undefined ? offset : since.offset, recovered];
      };
      const [first] = await join();
      const { epoch } = await hub.publish(room, "1");
      const joining: Promise<[Client, number, boolean]>[] = [];
      const publishing: Promise<Published>[] = [];
      for (let index = 2; index <= 60; index++) {
        publishing.push(hub.publish(room, String(index)));
        if (index % 10 === 0) {
          await publishing.at(-1);
          joining.push(join(), join({ epoch, offset: index / 2 }));
        }
      }
      await Promise.all(publishing);
      const clients = await Promise.all(joining);
      await hub.publish(room, "last");
      const order = (await hub.history(room)).publications.map(({ message }) => String(message.data));
      assert.equal(order.length, 61);
      for (const [client, offset, recovered] of [[first, 0, true] as const, ...clients]) {
        assert.equal(recovered, true);
        await client.frame("last");
        assert.deepEqual(client.frames, order.slice(offset));
        assert.deepEqual(client.drops, []);
      }
      await hub.close();
    });
  });
}
