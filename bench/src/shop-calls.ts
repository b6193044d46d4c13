import type { JsonObject } from "@sluice/rpc";
import { shopOrder } from "./order.ts";

/** One call of `shop.proto`, as REST and Connect have it. */
export interface ShopCall {
  readonly rpc: string;
  /** Whether Connect may make it with GET. */
  readonly isSafe: boolean;
  /** The request of REST: method, path with query, and the body where it has one. */
  readonly rest: { readonly method: "GET" | "POST"; readonly target: string; readonly body?: JsonObject };
  /** The request message. */
  readonly message: JsonObject;
  /** The replies that have to come: one, or those of a stream. */
  readonly replies: readonly JsonObject[];
}

/** Reads an address by its customer, with two parameters in the query; a reply of about 100 bytes. */
export function getAddress(number: number): ShopCall {
  const customer = `customer-${100_000 + number}`;
  return {
    rpc: "GetAddress",
    isSafe: true,
    rest: { method: "GET", target: `/v1/customers/${customer}/address?country=US&verified=true` },
    message: { customer, country: "US", verified: true },
    replies: [{ street: customer, city: "Springfield", postalCode: "12345", country: "US" }],
  };
}

/** Sends an address of about 100 bytes and gets it back. */
export function checkAddress(number: number): ShopCall {
  const address = {
    street: `Main Street ${10_000 + number}`,
    city: "Springfield",
    postalCode: "12345",
    country: "US",
  };
  return {
    rpc: "CheckAddress",
    isSafe: false,
    rest: { method: "POST", target: "/v1/addresses:check", body: address },
    message: address,
    replies: [address],
  };
}

/** Reads an order by its number, with a text and a repeated parameter in the query; a reply of about 1 KB. */
export function getOrder(number: number): ShopCall {
  const id = String(1_000_000 + number);
  const message = { id, note: "Leave at the door", scores: [1, 20, 300] };
  return {
    rpc: "GetOrder",
    isSafe: true,
    rest: {
      method: "GET",
      target: `/v1/orders/${id}?note=Leave+at+the%20door&scores=1&scores=20&scores=300`,
    },
    message,
    replies: [{ ...shopOrder, ...message }],
  };
}

/** Sends an order of about 1 KB and gets it back. */
export function createOrder(number: number): ShopCall {
  const message = { ...shopOrder, id: String(1_000_000 + number) };
  return {
    rpc: "CreateOrder",
    isSafe: false,
    rest: { method: "POST", target: "/v1/orders", body: message },
    message,
    replies: [message],
  };
}

/** A stream of messages of about 100 bytes. */
export function watchPrices(count: number): ShopCall {
  return watch("WatchPrices", "/v1/prices:watch", count, (sequence) => ({
    sequence: String(sequence),
    sku: "SKU-1001",
    currencyCode: "EUR",
    amount: 12 + (sequence % 1000) / 4,
    time: "2026-10-26T07:33:20Z",
  }));
}

/** A stream of messages of about 1 KB. */
export function watchOrders(count: number): ShopCall {
  return watch("WatchOrders", "/v1/orders:watch", count, (sequence) => ({
    ...shopOrder,
    id: String(sequence),
  }));
}

function watch(rpc: string, path: string, count: number, reply: (sequence: number) => JsonObject): ShopCall {
  return {
    rpc,
    isSafe: false,
    rest: { method: "GET", target: `${path}?count=${count}` },
    message: { count },
    replies: Array.from({ length: count }, (_, index) => reply(index + 1)),
  };
}
