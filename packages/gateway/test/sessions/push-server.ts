import type { TestContext } from "node:test";
import { Hub, roomsByPattern, type HubOptions } from "@sluice/hub";
import { Code } from "@sluice/protocol";
import {
  createDirectory,
  createRestHandler,
  createRpcHandler,
  createSchemaRoutes,
  createStatus,
  RestRoutes,
  ServiceBackend,
} from "@sluice/rpc";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { Listener } from "../../src/listener/listener.ts";
import { WebSockets } from "../../src/web-sockets.ts";
import type { PushAccess } from "../../src/sessions/push/push-access.ts";
import { createPushService } from "../../src/sessions/push/push-service.ts";
import { pushSchema } from "../../src/sessions/schemas.ts";
import { FakeClient } from "./fake-client.ts";

/** A hub with its push API on a port, in all dialects over HTTP. */
export interface PushServer {
  readonly hub: Hub;
  readonly clock: FakeClock;
  /** `host:port`. */
  readonly address: string;
  readonly url: string;
  readonly client: (user?: string) => Promise<FakeClient>;
}

export const token = "t0p-s3cret";

/** Starts one; everything ends with the test. */
export async function startPushServer(
  context: TestContext,
  options: { readonly hub?: HubOptions; readonly access?: PushAccess } = {},
): Promise<PushServer> {
  const clock = new FakeClock();
  const rooms = roomsByPattern({ "log:*": { history: { size: 100, ttlMs: 60_000 }, presence: true } });
  const hub = new Hub({ rooms, clock, ...options.hub });
  const access = options.access ?? { tokens: ["old", token] };
  const backend = new ServiceBackend(createPushService({ hub, access, clock }));
  const schema = pushSchema();
  const directory = createDirectory(schema, backend);
  const routes = new RestRoutes(createSchemaRoutes(schema, backend).routes);
  const rpc = createRpcHandler({ methods: () => directory });
  const rest = createRestHandler({ routes: () => routes });
  const webSockets = new WebSockets({
    routes: () => routes,
    methods: () => directory,
    origin: "any",
    report: () => undefined,
  });
  const listener = new Listener({
    request: (request, response) => void (rpc(request, response) || rest(request, response)),
    webSocket: (request) => webSockets.accept(request),
    failed: (error) => {
      throw error;
    },
    refused: () => undefined,
  });
  const { port } = await listener.listen("127.0.0.1", 0);
  context.after(async () => {
    await hub.close();
    await backend.close();
    webSockets.closeAll(createStatus(Code.UNAVAILABLE, "the test is over"));
    const drained = listener.drain();
    listener.destroy();
    await drained;
  });
  return {
    hub,
    clock,
    address: `127.0.0.1:${port}`,
    url: `http://127.0.0.1:${port}/v1/push`,
    client: (user) => new FakeClient().connect(hub, user === undefined ? {} : { identity: { user } }),
  };
}
