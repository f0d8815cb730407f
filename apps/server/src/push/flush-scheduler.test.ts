import { describe, expect, it } from "vitest";
import { FlushScheduler } from "./flush-scheduler.ts";

const MAX_WINDOW_MS = 500;

/** Counts its flushes, each of which keeps the process busy for `busyMs`. */
class Watcher {
  flushes = 0;
  readonly #busyMs: number;

  constructor(busyMs: number) {
    this.#busyMs = busyMs;
  }

  flush(): void {
    this.flushes += 1;
    for (const endMs = performance.now() + this.#busyMs; performance.now() < endMs; );
  }
}

describe("FlushScheduler", () => {
  it("flushes once for all that comes in one turn", async () => {
    const scheduler = new FlushScheduler(MAX_WINDOW_MS);
    const watcher = new Watcher(0);
    for (let index = 0; index < 10; index += 1) scheduler.schedule(watcher);
    await expect.poll(() => watcher.flushes).toBe(1);
    scheduler.schedule(watcher);
    await expect.poll(() => watcher.flushes).toBe(2);
  });

  it("makes who comes soon after a long flush wait, in proportion", async () => {
    const scheduler = new FlushScheduler(MAX_WINDOW_MS);
    const slow = new Watcher(20);
    scheduler.schedule(slow);
    await expect.poll(() => slow.flushes, { interval: 1 }).toBe(1);
    const startMs = performance.now();
    scheduler.schedule(slow);
    await expect.poll(() => slow.flushes, { interval: 1 }).toBe(2);
    // Eight times 20 ms, less what had passed by then.
    expect(performance.now() - startMs).toBeGreaterThan(80);
  });

  it("makes nobody wait for longer than the longest window", async () => {
    const scheduler = new FlushScheduler(1);
    const slow = new Watcher(200);
    scheduler.schedule(slow);
    await expect.poll(() => slow.flushes, { interval: 1 }).toBe(1);
    const startMs = performance.now();
    scheduler.schedule(slow);
    await expect.poll(() => slow.flushes, { interval: 1, timeout: 5_000 }).toBe(2);
    expect(performance.now() - startMs).toBeLessThan(1_200);
  });
});
