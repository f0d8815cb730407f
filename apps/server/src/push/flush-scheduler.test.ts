import { setTimeout as delay, setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { FlushScheduler } from "./flush-scheduler.ts";

const WINDOWS = { maxDelayMs: 500, maxDelayUnderLagMs: 500 };

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

/** A watcher of which the scheduler has just learnt how long it takes to flush. */
async function flushedOnce(scheduler: FlushScheduler, busyMs: number): Promise<Watcher> {
  const watcher = new Watcher(busyMs);
  scheduler.schedule(watcher);
  await expect.poll(() => watcher.flushes, { interval: 1, timeout: 5_000 }).toBe(1);
  return watcher;
}

describe("FlushScheduler", () => {
  it("flushes once for all that comes in one turn", async () => {
    const scheduler = new FlushScheduler(WINDOWS);
    const watcher = new Watcher(0);
    for (let index = 0; index < 10; index += 1) scheduler.schedule(watcher);
    await expect.poll(() => watcher.flushes).toBe(1);
    scheduler.schedule(watcher);
    await expect.poll(() => watcher.flushes).toBe(2);
  });

  it("makes who comes soon after a long flush wait, in proportion", async () => {
    const scheduler = new FlushScheduler(WINDOWS);
    const slow = await flushedOnce(scheduler, 20);
    const startMs = performance.now();
    scheduler.schedule(slow);
    await expect.poll(() => slow.flushes, { interval: 1 }).toBe(2);
    // Eight times 20 ms, less what had passed by then.
    expect(performance.now() - startMs).toBeGreaterThan(80);
  });

  it("makes nobody wait for longer than the longest window", async () => {
    const scheduler = new FlushScheduler({ maxDelayMs: 1, maxDelayUnderLagMs: 500 });
    const slow = await flushedOnce(scheduler, 200);
    const startMs = performance.now();
    scheduler.schedule(slow);
    await expect.poll(() => slow.flushes, { interval: 1, timeout: 5_000 }).toBe(2);
    expect(performance.now() - startMs).toBeLessThan(1_200);
  });

  it("holds back what comes late, for a part of its lateness, while more comes", async () => {
    const scheduler = new FlushScheduler({ maxDelayMs: 1, maxDelayUnderLagMs: 10_000 });
    await flushedOnce(scheduler, 200);
    const startMs = performance.now();
    const prompt = new Watcher(0);
    while (prompt.flushes === 0) {
      scheduler.noteLateness(1_000);
      scheduler.schedule(prompt);
      await delay(1);
    }
    // A quarter of a second, less what had passed by then.
    expect(performance.now() - startMs).toBeGreaterThan(150);
    // Eight times as long as the flush took it would be without.
    expect(performance.now() - startMs).toBeLessThan(1_200);
  });

  it("holds back nothing for long when no more comes", async () => {
    const scheduler = new FlushScheduler({ maxDelayMs: 1, maxDelayUnderLagMs: 10_000 });
    await flushedOnce(scheduler, 300);
    const startMs = performance.now();
    scheduler.noteLateness(100_000);
    const prompt = new Watcher(0);
    scheduler.schedule(prompt);
    await expect.poll(() => prompt.flushes, { interval: 1, timeout: 20_000 }).toBe(1);
    expect(performance.now() - startMs).toBeLessThan(1_000);
  });

  it("lets other things be done between the writes of a large crowd", async () => {
    const scheduler = new FlushScheduler(WINDOWS);
    const crowd = Array.from({ length: 200 }, () => new Watcher(1));
    for (const watcher of crowd) scheduler.schedule(watcher);
    const flushed = () => crowd.filter(({ flushes }) => flushes > 0).length;
    const seen = new Set<number>();
    while (flushed() < crowd.length) {
      seen.add(flushed());
      await nextTurn();
    }
    expect(seen.size).toBeGreaterThan(5);
    expect(crowd.every(({ flushes }) => flushes === 1)).toBe(true);
  });

  it("forgets nobody who is scheduled while others are being flushed", async () => {
    const scheduler = new FlushScheduler({ maxDelayMs: 1, maxDelayUnderLagMs: 1 });
    const crowd = Array.from({ length: 100 }, () => new Watcher(1));
    for (const watcher of crowd) scheduler.schedule(watcher);
    await expect.poll(() => crowd[0]?.flushes, { interval: 1 }).toBe(1);
    scheduler.schedule(crowd[0] as Watcher);
    await expect.poll(() => crowd.map(({ flushes }) => flushes)).toEqual([2, ...crowd.slice(1).map(() => 1)]);
  });
});
