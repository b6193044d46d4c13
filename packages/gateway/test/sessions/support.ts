import type { TestContext } from "node:test";
import { Hub, type HubOptions } from "@sluice/hub";
import { createHttp2Backend, type Http2Backend } from "@sluice/rpc";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { bindSessions } from "../../src/sessions/bind-sessions.ts";
import type { CallbackReport, SessionCallbacksOptions } from "../../src/sessions/callbacks/options.ts";
import { SessionCallbacks } from "../../src/sessions/callbacks/session-callbacks.ts";
import { FakeClient } from "./fake-client.ts";
import { ScriptedHandler, type Script } from "./scripted-handler.ts";

/** A hub whose sessions are served by a scripted backend over real gRPC. */
export interface Scene {
  readonly hub: Hub;
  readonly callbacks: SessionCallbacks;
  readonly backend: ScriptedHandler;
  readonly upstream: Http2Backend;
  readonly reports: CallbackReport[];
  readonly clock: FakeClock;
  /** A client that has connected, or was refused. */
  client(request?: Parameters<FakeClient["connect"]>[1]): Promise<FakeClient>;
}

/** Options of a scene. */
export interface SceneOptions extends Partial<Omit<SessionCallbacksOptions, "backend">> {
  readonly script?: Script;
  readonly hub?: HubOptions;
  /** Methods that the backend does not implement. */
  readonly without?: readonly string[];
}

/** Sets a scene; everything ends with the test. */
export async function setScene(context: TestContext, options: SceneOptions = {}): Promise<Scene> {
  const { script = {}, hub: hubOptions = {}, without = [], ...callbackOptions } = options;
  const backend = await new ScriptedHandler(script, without).start();
  const clock = new FakeClock();
  const reports: CallbackReport[] = [];
  const upstream = createHttp2Backend(backend.address, { backoff: { initialMs: 5, maxMs: 20 } });
  const callbacks = new SessionCallbacks({
    backend: upstream,
    hooks: ["connect", "message", "disconnect", "resume"],
    clock,
    random: () => 0.5,
    report: (report) => reports.push(report),
    ...callbackOptions,
  });
  const hub = new Hub({ clock, ...hubOptions, admit: (session) => callbacks.admit(session) });
  bindSessions(hub, { callbacks });
  context.after(async () => {
    await hub.close();
    callbacks.close();
    await upstream.close(0);
    await backend.kill();
  });
  const client = (request = {}): Promise<FakeClient> => new FakeClient().connect(hub, request);
  return { hub, callbacks, backend, upstream, reports, clock, client };
}

/** Resolves when something has come true. */
export async function eventually(condition: () => boolean): Promise<void> {
  const end = performance.now() + 20_000;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`this did not come true: ${condition.toString()}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** A promise and what settles it. */
export function deferred<Value = void>(): { promise: Promise<Value>; resolve: (value: Value) => void } {
  let resolve!: (value: Value) => void;
  const promise = new Promise<Value>((settle) => (resolve = settle));
  return { promise, resolve };
}
