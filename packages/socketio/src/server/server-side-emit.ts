import type { Adapter } from "../adapter/adapter.ts";

/** Events that namespaces have themselves. */
const reserved: ReadonlySet<string | symbol> = new Set(["connect", "connection", "new_namespace"]);

/**
 * Sends an event to the other servers. Where the last argument is a function, it is called with an error or null and the
 * answers of all servers. Throws for the name of an event that namespaces have themselves. Answers true.
 */
export function serverSideEmit(adapter: Adapter, ev: string | symbol, args: readonly unknown[]): boolean {
  if (reserved.has(ev)) throw new Error(`"${String(ev)}" is a reserved event name`);
  void adapter.serverSideEmit([ev, ...args]);
  return true;
}

/** Sends an event to the other servers, and resolves to their answers. A rejection's `responses` are those that came. */
export function serverSideEmitWithAck(
  adapter: Adapter,
  ev: string | symbol,
  args: readonly unknown[],
): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    const acknowledged = (error: Error | null | undefined, responses: unknown[]): void => {
      if (error === null || error === undefined) resolve(responses);
      else reject(Object.assign(error, { responses }));
    };
    serverSideEmit(adapter, ev, [...args, acknowledged]);
  });
}
