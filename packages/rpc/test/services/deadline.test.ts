import assert from "node:assert/strict";
import { test } from "node:test";
import { noMetadata, ServiceBackend, type Method, type Status } from "../../src/index.ts";
import { ownSchema } from "../../src/services/own-schema.ts";

const path = "/grpc.health.v1.Health/Watch";

test("a deadline ends a call of a service that does not, and one longer than a timer of Node not at once", async () => {
  const method = ownSchema().methods.get(path) as Method;
  const backend = new ServiceBackend(
    new Map([[path, () => ({ message() {}, halfClose() {}, cancelled() {} })]]),
  );
  const ended: string[] = [];
  const open = (timeout: number): Promise<Status> =>
    new Promise((resolve) => {
      const end = (status: Status): void => {
        ended.push(String(timeout));
        resolve(status);
      };
      backend.open(
        { method, metadata: noMetadata, timeout },
        { headers() {}, message() {}, drain() {}, end },
      );
    });
  // 99999999H, the longest that gRPC has.
  void open(99_999_999 * 3_600_000);
  const { code, message } = await open(5);
  assert.equal(code, 4);
  assert.match(message, /5 ms/);
  assert.deepEqual(ended, ["5"]);
  await backend.close();
});
