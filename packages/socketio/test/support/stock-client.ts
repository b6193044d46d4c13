import { createRequire } from "node:module";
import { Socket as SocketV4 } from "engine.io-client";

/** What the tests use of the stock clients, which is the same in all versions. */
export interface StockClient {
  readonly id: string;
  readonly transport: { readonly name: string };
  send(data: string | Uint8Array): unknown;
  close(): unknown;
  on(name: string, listener: (...args: never[]) => void): unknown;
}

type StockClientClass = new (url: string, options: Record<string, unknown>) => StockClient;

// The old client has no types, and is no module.
const SocketV3 = createRequire(import.meta.url)("engine.io-client-3") as StockClientClass;

/** The stock clients, by the revision that they speak. */
export const stockClients: Readonly<Record<"3.5.6" | "6.6.8", StockClientClass>> = {
  "3.5.6": SocketV3,
  "6.6.8": SocketV4,
};
