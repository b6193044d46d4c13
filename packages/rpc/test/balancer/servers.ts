import type { TestContext } from "node:test";
import {
  createBalancedBackend,
  type AddressStatus,
  type BackendState,
  type BalancedBackend,
  type BalancedBackendOptions,
} from "@sluice/rpc";
import { startEchoServer, type EchoServer, type EchoServerOptions } from "@sluice/testkit";

/** Starts echo servers that are closed after the test. */
export function startServers(
  context: TestContext,
  count: number,
  options?: EchoServerOptions,
): Promise<readonly EchoServer[]> {
  return Promise.all(Array.from({ length: count }, () => startServer(context, options)));
}

/** Starts an echo server that is closed after the test. */
export async function startServer(context: TestContext, options?: EchoServerOptions): Promise<EchoServer> {
  const server = await startEchoServer(options);
  context.after(() => server.close());
  return server;
}

/** Makes a backend that is closed after the test. */
export function balance(
  context: TestContext,
  target: string | readonly string[],
  options?: BalancedBackendOptions,
): BalancedBackend {
  const backend = createBalancedBackend(target, options);
  context.after(() => backend.close(0));
  return backend;
}

export function addressesOf(servers: readonly EchoServer[]): string[] {
  return servers.map(({ address }) => address);
}

/** Resolves when all addresses that there are take calls. */
export async function allUsable(backend: BalancedBackend, count: number): Promise<void> {
  backend.connect();
  await until(backend, () => {
    const addresses = backend.addresses();
    return addresses.length === count && addresses.every(({ isUsable }) => isUsable);
  });
}

/** Resolves when a condition holds; asked at each turn of the event loop, for 5 s. */
export async function until(backend: BalancedBackend, condition: () => boolean): Promise<void> {
  const end = performance.now() + 5_000;
  while (!condition()) {
    if (performance.now() > end)
      throw new Error(`this did not come true: ${condition.toString()}; ${show(backend)}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

export function untilState(backend: BalancedBackend, kind: BackendState["kind"]): Promise<void> {
  return until(backend, () => backend.state().kind === kind);
}

/** What is known of one address. */
export function statusOf(backend: BalancedBackend, address: string): AddressStatus {
  const found = backend.addresses().find((each) => each.address === address);
  if (found === undefined) throw new Error(`there is no ${address}; ${show(backend)}`);
  return found;
}

function show(backend: BalancedBackend): string {
  return JSON.stringify({ state: backend.state(), addresses: backend.addresses() });
}
