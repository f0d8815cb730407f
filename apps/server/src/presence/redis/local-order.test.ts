import { describe, expect, it } from "vitest";
import { LocalOrder } from "./local-order.ts";

describe("LocalOrder", () => {
  it("keeps a version that is higher than the newest position, and increments it otherwise", () => {
    const order = new LocalOrder();
    expect([order.next(500), order.next(700), order.next(600), order.next()]).toEqual([500, 700, 701, 702]);
    expect(order.head.version).toBe(702);
  });

  it("restarts with a new epoch and a higher version", () => {
    const order = new LocalOrder();
    order.next(500);
    const before = order.head;
    order.restart();
    expect(order.head.epoch).not.toBe(before.epoch);
    expect(order.head.version).toBeGreaterThan(before.version);
  });
});
