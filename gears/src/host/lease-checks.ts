import { setTimeout as delay, setImmediate as nextTurn } from "node:timers/promises";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { RECORDS_KEY } from "../presence/keys.ts";
import { type ClientRecord, parseRecord } from "../presence/record.ts";
import type { DeadlineClock } from "./deadline-clock.ts";
import type { LeaseEvent } from "./keyspace-subscriber.ts";
import { pause, WINDOW_MS } from "./pace.ts";
import type { PresenceFunctions } from "./presence-functions.ts";

/** How many records are read at once. */
const READ_AT_ONCE = 500;
/** How many leases one call checks: Redis serves nobody else meanwhile. */
const CHECKED_AT_ONCE = 150;
/** For how long at the most checks wait for leases that are being ended, in ms. */
const LONGEST_WAIT_MS = 1_000;

export interface LeaseCheckOptions {
  commands: Redis;
  functions: PresenceFunctions;
  clock: Pick<DeadlineClock, "nudge" | "caughtUp">;
  logger: Logger;
}

/**
 * Checks leases that something happened to, where it may have been another hand.
 *
 * Nearly all that Redis tells of was done by the platform itself, and has been announced in the same step: a record that
 * agrees with what happened says so, and costs a hundredth of a check.
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

  /** Until all that was added has been checked. */
  async settle(): Promise<void> {
    await this.#running;
  }

  /** Those of one moment together, at once; what comes meanwhile, or soon after, waits for the next round. */
  async #run(): Promise<void> {
    while (this.#waiting.size > 0) {
      await nextTurn();
      await this.#untilCaughtUp();
      const happened = [...this.#waiting];
      this.#waiting = new Map();
      try {
        for (const part of inParts(happened, READ_AT_ONCE)) await this.#check(part);
      } catch (error) {
        // The clock finds at their deadlines what could not be checked now.
        this.#options.logger.debug({ err: error }, "leases could not be checked");
      }
      await delay(WINDOW_MS);
    }
  }

  /** Most of what happens while leases are being ended is that: when they have been, it has been announced. */
  async #untilCaughtUp(): Promise<void> {
    const isDone = new AbortController();
    const caughtUp = this.#options.clock.caughtUp().finally(() => isDone.abort());
    await Promise.race([caughtUp, pause(LONGEST_WAIT_MS, isDone.signal)]);
  }

  async #check(happened: readonly [string, Set<LeaseEvent>][]): Promise<void> {
    const { commands, functions, clock } = this.#options;
    const records = await commands.hmget(RECORDS_KEY, ...happened.map(([client]) => client));
    const doubtful = happened.filter(([, events], index) => {
      const record = records[index];
      return !agree(events, record ? parseRecord(record) : undefined);
    });
    for (const part of inParts(doubtful, CHECKED_AT_ONCE)) await functions.check(part.map(([client]) => client));
    if (doubtful.length > 0) clock.nudge();
  }
}

/** Whether what happened to a client's lease is what has been announced: of more than one thing nobody knows the last. */
function agree(events: ReadonlySet<LeaseEvent>, record: ClientRecord | undefined): boolean {
  return !events.has(record?.status === "ONLINE" ? "ended" : "began");
}

function inParts<Item>(items: readonly Item[], size: number): Item[][] {
  const parts: Item[][] = [];
  for (let start = 0; start < items.length; start += size) parts.push(items.slice(start, start + size));
  return parts;
}
