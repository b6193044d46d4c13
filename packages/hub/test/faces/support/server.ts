import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { acceptWebSocket } from "@sluice/websocket";
import {
  acceptInto,
  type Clock,
  Hub,
  type HubOptions,
  type Identify,
  SocketFaces,
  type SocketFacesOptions,
} from "../../../src/index.ts";

/** A hub behind a port of this machine, until the test ends. */
export interface Listening {
  readonly hub: Hub;
  readonly http: Server;
  readonly port: number;
}

/** Starts a server whose WebSockets hold sessions of a new hub; without `authorize`, its clients may do everything. */
export async function startHub(
  context: TestContext,
  hubOptions: HubOptions = {},
  faceOptions: SocketFacesOptions = {},
): Promise<Listening> {
  const hub = new Hub({ authorize: () => true, ...hubOptions });
  const http = createServer();
  http.on("upgrade", acceptInto(hub, faceOptions));
  return { hub, http, port: await listen(context, http, hub) };
}

/** Starts a server that answers requests. */
export async function startHttp(context: TestContext, hub: Hub, listener: RequestListener): Promise<number> {
  return listen(context, createServer(listener), hub);
}

/** Lets a server listen until the test ends. */
export async function listen(context: TestContext, http: Server, hub: Hub): Promise<number> {
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  context.after(async () => {
    http.close();
    await hub.close();
    http.closeAllConnections();
  });
  return (http.address() as AddressInfo).port;
}

/** Starts a server whose clients on wires without words have to send a token first. */
export async function startTokens(
  context: TestContext,
  identify: Identify,
  clock?: Clock,
): Promise<Listening> {
  const hub = new Hub({ authorize: () => true });
  const faces = new SocketFaces(hub, { identify, ...(clock === undefined ? {} : { clock }) });
  const http = createServer();
  http.on("upgrade", (request, socket, head) => {
    acceptWebSocket(request, socket, head, faces.accept(request, { awaitsToken: true }));
  });
  return { hub, http, port: await listen(context, http, hub) };
}

/** Starts a server whose faces live by a clock of the test, without pings. */
export async function startTimed(
  context: TestContext,
  faceOptions: SocketFacesOptions,
): Promise<Listening & { readonly clock: FakeClock }> {
  const clock = new FakeClock();
  const quiet = { intervalMs: Infinity, patienceMs: Infinity };
  return { clock, ...(await startHub(context, {}, { heartbeat: quiet, ...faceOptions, clock })) };
}
