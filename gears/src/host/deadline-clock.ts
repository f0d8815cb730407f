import type { Logger } from "pino";
import type { Sweep } from "../presence/presence.ts";
import { pause, RETRY_MS, WINDOW_MS } from "./pace.ts";
import type { PresenceFunctions } from "./presence-functions.ts";

/** How often to sweep if nothing is due, in heartbeat intervals. The logic treats a longer gap as an outage. */
const TICK_INTERVALS = 0.1;
/** How many sweeps are in flight while more leases are due, so that Redis does not wait for this process. */
const MAX_SWEEPS_IN_FLIGHT = 3;

export interface DeadlineClockOptions {
  functions: PresenceFunctions;
  heartbeatIntervalMs: number;
  logger: Logger;
  signal: AbortSignal;
}

/**
 * Sleeps until the next lease ends, then sweeps. Redis itself reports an expired key late, or not at all.
 *
 * It computes each delay from Redis's clock only.
 */
export class DeadlineClock {
  readonly #options: DeadlineClockOptions;
  #nudge = new AbortController();
  #lastSweepMs = performance.now();
  #sweeping: Promise<unknown> = Promise.resolve();

  constructor(options: DeadlineClockOptions) {
    this.#options = options;
  }

  /** The time since the last successful sweep, in ms. */
  get silenceMs(): number {
    return performance.now() - this.#lastSweepMs;
  }

  /** Wakes the clock, because a lease may end earlier than expected. */
  nudge(): void {
    this.#nudge.abort();
  }

  /** Resolves when the current sweep has ended all due leases, or has failed. */
  async caughtUp(): Promise<void> {
    await this.#sweeping.catch(() => {});
  }

  /** Runs until the signal aborts. */
  async run(): Promise<void> {
    const { heartbeatIntervalMs, logger, signal } = this.#options;
    const tickMs = TICK_INTERVALS * heartbeatIntervalMs;
    // One listener instead of `AbortSignal.any` per sleep: a signal keeps references to all signals derived from it.
    signal.addEventListener("abort", () => this.nudge(), { once: true });
    while (!signal.aborted) {
      try {
        // Created before the sweep, so that a nudge during the sweep ends the next sleep.
        this.#nudge = new AbortController();
        const sweeping = this.#sweepAll();
        this.#sweeping = sweeping;
        const { nowMs, nextMs } = await sweeping;
        await pause(Math.min(tickMs, Math.max(WINDOW_MS, (nextMs ?? nowMs + tickMs) - nowMs)), this.#nudge.signal);
      } catch (error) {
        if (signal.aborted) return;
        logger.debug({ err: error }, "sweep failed; retrying");
        await pause(Math.min(RETRY_MS, tickMs), signal);
      }
    }
  }

  /** Sweeps until nothing is due any more. */
  async #sweepAll(): Promise<Sweep> {
    let latest = await this.#sweep();
    const inFlight: Promise<Sweep>[] = [];
    for (;;) {
      while (isMoreDue(latest) && inFlight.length < MAX_SWEEPS_IN_FLIGHT) {
        const sweep = this.#sweep();
        // If an earlier sweep fails, this one is never awaited.
        sweep.catch(() => {});
        inFlight.push(sweep);
      }
      const next = inFlight.shift();
      if (next === undefined) return latest;
      latest = await next;
    }
  }

  async #sweep(): Promise<Sweep> {
    const sweep = await this.#options.functions.sweep();
    this.#lastSweepMs = performance.now();
    return sweep;
  }
}

function isMoreDue({ nowMs, nextMs }: Sweep): boolean {
  return nextMs !== undefined && nextMs <= nowMs;
}
