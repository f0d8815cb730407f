import type { Logger } from "pino";
import type { Sweep } from "../presence/presence.ts";
import { pause, RETRY_MS, WINDOW_MS } from "./pace.ts";
import type { PresenceFunctions } from "./presence-functions.ts";

/** How often to sweep where nothing is due, in intervals: silence tells the logic that there was an outage. */
const TICK_INTERVALS = 0.1;
/** How many sweeps are on their way while there is more to do than one does: Redis needn't wait for this process. */
const SWEEPS_AT_ONCE = 3;

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
  #sweeping: Promise<unknown> = Promise.resolve();

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

  /** Until it knows of nothing that is due; or could not ask. */
  async caughtUp(): Promise<void> {
    await this.#sweeping.catch(() => {});
  }

  /** Runs until the signal. */
  async run(): Promise<void> {
    const { heartbeatIntervalMs, logger, signal } = this.#options;
    const tickMs = TICK_INTERVALS * heartbeatIntervalMs;
    // Not by `AbortSignal.any` for each sleep: a signal remembers all that were ever made of it.
    signal.addEventListener("abort", () => this.nudge(), { once: true });
    while (!signal.aborted) {
      try {
        // Whoever nudges from here on, while Redis is being asked, is heard before the next sleep.
        this.#nudge = new AbortController();
        const sweeping = this.#sweepAll();
        this.#sweeping = sweeping;
        const { nowMs, nextMs } = await sweeping;
        await pause(Math.min(tickMs, Math.max(WINDOW_MS, (nextMs ?? nowMs + tickMs) - nowMs)), this.#nudge.signal);
      } catch (error) {
        if (signal.aborted) return;
        logger.debug({ err: error }, "leases could not be swept; trying again");
        await pause(Math.min(RETRY_MS, tickMs), signal);
      }
    }
  }

  /** Sweeps until nothing is due any more. */
  async #sweepAll(): Promise<Sweep> {
    let latest = await this.#sweep();
    const onTheirWay: Promise<Sweep>[] = [];
    for (;;) {
      while (isMoreDue(latest) && onTheirWay.length < SWEEPS_AT_ONCE) {
        const sweep = this.#sweep();
        // Where one before it fails, nobody waits for it any more.
        sweep.catch(() => {});
        onTheirWay.push(sweep);
      }
      const next = onTheirWay.shift();
      if (next === undefined) return latest;
      latest = await next;
    }
  }

  async #sweep(): Promise<Sweep> {
    const { functions, runOf } = this.#options;
    const sweep = await functions.sweep(runOf());
    this.#lastSweepMs = performance.now();
    return sweep;
  }
}

function isMoreDue({ nowMs, nextMs }: Sweep): boolean {
  return nextMs !== undefined && nextMs <= nowMs;
}
