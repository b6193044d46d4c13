import type { JsonObject } from "@sluice/rpc";

/** A message of the size that APIs have: nested, with a list, a map and a timestamp; about 1 KB of JSON. */
export const order: JsonObject = {
  name: "orders/2026-000042",
  id: "1234567890123",
  state: "STATE_PAID",
  createTime: "2026-11-21T23:31:59.123Z",
  items: [
    item(
      "SKU-1001",
      "Espresso beans, dark roast",
      { quantity: 2, weight: 0.5 },
      { units: "12", nanos: 500_000_000 },
    ),
    item(
      "SKU-2002",
      "Grinder",
      { quantity: 1, gift: true, weight: 3.25 },
      { units: "149", nanos: 990_000_000 },
    ),
    item("SKU-3003", "Filter papers (100)", { quantity: 5, weight: 0.125 }, { units: "3" }),
  ],
  shippingAddress: { street: "Hauptstraße 1", city: "Berlin", postalCode: "10115", country: "DE" },
  labels: { channel: "web", campaign: "november", tier: "gold" },
  scores: [1, 20, 300, 4000],
  token: "AAECAwQFBgcICQoLDA0ODw==",
  note: "Leave at the door",
};

function item(sku: string, title: string, rest: JsonObject, price: JsonObject): JsonObject {
  return { sku, title, ...rest, price: { currencyCode: "EUR", ...price } };
}

/** The same with one label: the backend, which is Go, writes the entries of a map in another order each time. */
export const shopOrder: JsonObject = { ...order, labels: { channel: "web" } };
