import { describe, expect, it } from "vitest";
import { LocalOrder } from "./local-order.ts";

describe("the order of events of several partitions", () => {
  it("leaves an event its version where that rises, and pushes it forward where it doesn't", () => {
    const order = new LocalOrder();
    expect([order.next(500), order.next(700), order.next(600), order.next()]).toEqual([500, 700, 701, 702]);
    expect(order.head.version).toBe(702);
  });

  it("begins anew under another name, and never goes back", () => {
    const order = new LocalOrder();
    order.next(500);
    const before = order.head;
    order.restart();
    expect(order.head.epoch).not.toBe(before.epoch);
    expect(order.head.version).toBeGreaterThan(before.version);
  });
});
