import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FlushScheduler } from "./flush-scheduler.ts";

const WINDOWS = { maxDelayMs: 500, maxDelayUnderLagMs: 500 };

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "setImmediate", "performance"] });
});

afterEach(() => {
  vi.useRealTimers();
});

/** Counts its flushes, each of which takes `durationMs` on the fake clock. */
class Viewer {
  flushes = 0;
  readonly #durationMs: number;

  constructor(durationMs: number) {
    this.#durationMs = durationMs;
  }

  flush(): void {
    this.flushes += 1;
    vi.advanceTimersByTime(this.#durationMs);
  }
}

/** Lets the scheduler measure a flush of `durationMs`. */
function flushOnce(scheduler: FlushScheduler, durationMs: number): Viewer {
  const viewer = new Viewer(durationMs);
  scheduler.schedule(viewer);
  vi.advanceTimersByTime(0);
  expect(viewer.flushes).toBe(1);
  return viewer;
}

describe("FlushScheduler", () => {
  it("flushes once for all events of one turn", () => {
    const scheduler = new FlushScheduler(WINDOWS);
    const viewer = new Viewer(0);
    for (let index = 0; index < 10; index += 1) scheduler.schedule(viewer);
    vi.advanceTimersByTime(0);
    expect(viewer.flushes).toBe(1);
    scheduler.schedule(viewer);
    vi.advanceTimersByTime(0);
    expect(viewer.flushes).toBe(2);
  });

  it("delays the next flush in proportion to the duration of the last one", () => {
    const scheduler = new FlushScheduler(WINDOWS);
    const viewer = flushOnce(scheduler, 20);
    scheduler.schedule(viewer);
    vi.advanceTimersByTime(8 * 20 - 1);
    expect(viewer.flushes).toBe(1);
    vi.advanceTimersByTime(1);
    expect(viewer.flushes).toBe(2);
  });

  it("delays no flush for longer than the maximum", () => {
    const scheduler = new FlushScheduler({ maxDelayMs: 1, maxDelayUnderLagMs: 500 });
    const viewer = flushOnce(scheduler, 200);
    scheduler.schedule(viewer);
    vi.advanceTimersByTime(1);
    expect(viewer.flushes).toBe(2);
  });

  it("delays late events for a quarter of their lag while more events arrive", () => {
    const scheduler = new FlushScheduler({ maxDelayMs: 1, maxDelayUnderLagMs: 10_000 });
    flushOnce(scheduler, 200);
    const viewer = new Viewer(0);
    const startMs = performance.now();
    while (viewer.flushes === 0) {
      scheduler.recordLag(1_000);
      scheduler.schedule(viewer);
      vi.advanceTimersByTime(1);
    }
    expect(performance.now() - startMs).toBe(250);
  });

  it("flushes late events soon if no more events arrive", () => {
    const scheduler = new FlushScheduler({ maxDelayMs: 1, maxDelayUnderLagMs: 10_000 });
    flushOnce(scheduler, 300);
    scheduler.recordLag(100_000);
    const viewer = new Viewer(0);
    scheduler.schedule(viewer);
    vi.advanceTimersByTime(40);
    expect(viewer.flushes).toBe(1);
  });

  it("yields to the event loop between the flushes of many viewers", () => {
    const scheduler = new FlushScheduler(WINDOWS);
    const viewers = Array.from({ length: 200 }, () => new Viewer(1));
    for (const viewer of viewers) scheduler.schedule(viewer);
    const flushed = () => viewers.filter(({ flushes }) => flushes > 0).length;
    const counts = new Set<number>();
    const countEachTurn = () => {
      counts.add(flushed());
      if (flushed() < viewers.length) setImmediate(countEachTurn);
    };
    setImmediate(countEachTurn);
    vi.runAllTimers();
    expect(counts.size).toBeGreaterThan(5);
    expect(viewers.every(({ flushes }) => flushes === 1)).toBe(true);
  });

  it("flushes a viewer again if it is scheduled while others are being flushed", () => {
    const scheduler = new FlushScheduler({ maxDelayMs: 1, maxDelayUnderLagMs: 1 });
    const viewers = Array.from({ length: 100 }, () => new Viewer(1));
    for (const viewer of viewers) scheduler.schedule(viewer);
    setImmediate(() => {
      expect([viewers[0]?.flushes, viewers.at(-1)?.flushes]).toEqual([1, 0]);
      scheduler.schedule(viewers[0] as Viewer);
    });
    vi.runAllTimers();
    expect(viewers.map(({ flushes }) => flushes)).toEqual([2, ...viewers.slice(1).map(() => 1)]);
  });
});
