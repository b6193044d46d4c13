import { randomBytes } from "node:crypto";

/** Different JSON documents of `bytes` bytes each, cut off where they reach that, as an application might send them. */
export function createJsonDocuments(count: number, bytes: number): Buffer[] {
  return Array.from({ length: count }, (_, page) => {
    const orders: object[] = [];
    let json = "";
    do {
      const id = page * 100 + orders.length;
      const sku = randomBytes(4).toString("hex");
      orders.push({ id, sku, quantity: (id * 7) % 12, price: id * 1.25, open: id % 3 === 0 });
      json = JSON.stringify({ type: "orders", page, orders });
    } while (json.length < bytes);
    return Buffer.from(json.slice(0, bytes));
  });
}
