import type { Logger } from "pino";
import { pause, RETRY_MS, WINDOW_MS } from "./pace.ts";
import type { PresenceFunctions } from "./presence-functions.ts";

/** How often to sweep where nothing is due, in intervals: silence tells the logic that there was an outage. */
const TICK_INTERVALS = 0.1;

export interface DeadlineClockOptions {
  functions: PresenceFunctions;
  heartbeatIntervalMs: number;
  /** The run of the Redis process one is connected to. */
  runOf: () => string;
  logger: Logger;
  signal: AbortSignal;
}

/**
 * Sleeps until the next lease runs out, and asks then: Redis itself tells of an expired key when it happens to look.
 *
 * The time to sleep comes from Redis's clock alone.
 */
export class DeadlineClock {
  readonly #options: DeadlineClockOptions;
  #nudge = new AbortController();
  #lastSweepMs = performance.now();

  constructor(options: DeadlineClockOptions) {
    this.#options = options;
  }

  /** For how long it has not managed to sweep, in ms. */
  get silenceMs(): number {
    return performance.now() - this.#lastSweepMs;
  }

  /** A lease may now end sooner than it was to. */
  nudge(): void {
    this.#nudge.abort();
  }

  /** Runs until the signal. */
  async run(): Promise<void> {
    const { functions, heartbeatIntervalMs, runOf, logger, signal } = this.#options;
    const tickMs = TICK_INTERVALS * heartbeatIntervalMs;
    // Not by `AbortSignal.any` for each sleep: a signal remembers all that were ever made of it.
    signal.addEventListener("abort", () => this.nudge(), { once: true });
    while (!signal.aborted) {
      try {
        // Whoever nudges from here on, while Redis is being asked, is heard before the next sleep.
        this.#nudge = new AbortController();
        const { nowMs, nextMs } = await functions.sweep(runOf());
        this.#lastSweepMs = performance.now();
        if (nextMs === undefined || nextMs > nowMs)
          await pause(Math.min(tickMs, Math.max(WINDOW_MS, (nextMs ?? nowMs + tickMs) - nowMs)), this.#nudge.signal);
      } catch (error) {
        if (signal.aborted) return;
        logger.debug({ err: error }, "leases could not be swept; trying again");
        await pause(Math.min(RETRY_MS, tickMs), signal);
      }
    }
  }
}
