import { setTimeout as delay, setImmediate as nextTurn } from "node:timers/promises";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { RECORDS_KEY } from "../presence/keys.ts";
import { type ClientRecord, parseRecord } from "../presence/record.ts";
import type { DeadlineClock } from "./deadline-clock.ts";
import type { LeaseEvent } from "./keyspace-subscriber.ts";
import { pause, WINDOW_MS } from "./pace.ts";
import type { PresenceFunctions } from "./presence-functions.ts";

/** How many records one call reads. */
const RECORDS_PER_CALL = 500;
/** How many leases one call checks. Redis serves no other client during a call. */
const CHECKS_PER_CALL = 150;
/** How long checks wait for a running sweep, in ms. */
const MAX_SWEEP_WAIT_MS = 1_000;

export interface LeaseCheckOptions {
  commands: Redis;
  functions: PresenceFunctions;
  clock: Pick<DeadlineClock, "nudge" | "caughtUp">;
  logger: Logger;
}

/**
 * Checks leases that an external program may have changed.
 *
 * The platform itself caused most notifications, and has already updated the record in the same step. If the record
 * matches the notification, no check is needed. Reading a record costs a hundredth of a check.
 */
export class LeaseChecks {
  readonly #options: LeaseCheckOptions;
  #waiting = new Map<string, Set<LeaseEvent>>();
  #running: Promise<void> | undefined;

  constructor(options: LeaseCheckOptions) {
    this.#options = options;
  }

  add(client: string, happened: LeaseEvent): void {
    const events = this.#waiting.get(client);
    if (events) events.add(happened);
    else this.#waiting.set(client, new Set([happened]));
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  /** Resolves when everything added so far is checked. */
  async settle(): Promise<void> {
    await this.#running;
  }

  /** Checks everything that has arrived in one round. Later notifications wait at least `WINDOW_MS` for the next round. */
  async #run(): Promise<void> {
    while (this.#waiting.size > 0) {
      await nextTurn();
      await this.#waitForSweep();
      const happened = [...this.#waiting];
      this.#waiting = new Map();
      try {
        for (const chunk of inChunks(happened, RECORDS_PER_CALL)) await this.#check(chunk);
      } catch (error) {
        // The deadline clock checks these leases at their deadlines.
        this.#options.logger.debug({ err: error }, "lease check failed");
      }
      await delay(WINDOW_MS);
    }
  }

  /** During a sweep, most notifications come from the leases that it ends. After it, their records match. */
  async #waitForSweep(): Promise<void> {
    const isDone = new AbortController();
    const caughtUp = this.#options.clock.caughtUp().finally(() => isDone.abort());
    await Promise.race([caughtUp, pause(MAX_SWEEP_WAIT_MS, isDone.signal)]);
  }

  async #check(happened: readonly [string, Set<LeaseEvent>][]): Promise<void> {
    const { commands, functions, clock } = this.#options;
    const records = await commands.hmget(RECORDS_KEY, ...happened.map(([client]) => client));
    const mismatched = happened.filter(([, events], index) => {
      const record = records[index];
      return !matches(events, record ? parseRecord(record) : undefined);
    });
    for (const chunk of inChunks(mismatched, CHECKS_PER_CALL)) {
      await functions.check(chunk.map(([client]) => client));
    }
    if (mismatched.length > 0) clock.nudge();
  }
}

/** Whether a client's record matches its notifications. Both kinds together never match: their order is unknown. */
function matches(events: ReadonlySet<LeaseEvent>, record: ClientRecord | undefined): boolean {
  return !events.has(record?.status === "ONLINE" ? "ended" : "began");
}

function inChunks<Item>(items: readonly Item[], size: number): Item[][] {
  const chunks: Item[][] = [];
  for (let start = 0; start < items.length; start += size) chunks.push(items.slice(start, start + size));
  return chunks;
}
