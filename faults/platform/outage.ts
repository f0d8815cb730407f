import { setTimeout as sleep } from "node:timers/promises";
import { waitFor } from "@presence/testkit";
import { expect, type TestContext } from "vitest";
import { Load } from "../load/load.ts";
import { report, seconds } from "../report/measurement.ts";
import { measureStalls } from "./machine-stalls.ts";
import { Platform, type PlatformOptions } from "./platform.ts";

const CLIENTS = 60;
const CONTACTS = 12;
/** Every 10th client leaves during the outage. */
const LEAVER_STEP = 10;
const DEFAULT_HEARTBEAT_INTERVAL_MS = 4_000;

/** An outage of Redis. */
export interface Outage {
  /** For the table. */
  fault: string;
  redis?: PlatformOptions["redis"];
  /** `d`, in ms. */
  heartbeatIntervalMs?: number;
  begin(platform: Platform): Promise<unknown>;
  /** Minimum length, in ms. If servers are to notice the outage, it lasts until they have. */
  durationMs: number;
  /** Whether servers are to become unready. */
  isNoticed: boolean;
  end(platform: Platform): Promise<unknown>;
}

/**
 * Makes Redis unavailable to three servers and their clients, some of which leave in the meantime. Servers must keep
 * running and become unready, streams must stay open and be marked stale, no client that stayed may be seen OFFLINE, and
 * all viewers must be correct within `2 × d` after the outage.
 */
export async function surviveOutage(context: TestContext, outage: Outage): Promise<void> {
  const { fault, redis, begin, durationMs, isNoticed, end } = outage;
  const { heartbeatIntervalMs = DEFAULT_HEARTBEAT_INTERVAL_MS } = outage;
  const platform = await Platform.start({
    heartbeatIntervalMs,
    servers: 3,
    ...(redis && { redis }),
  });
  const load = await Load.start(platform, { size: CLIENTS, contacts: CONTACTS });
  const { leavers, stayers } = load.split(LEAVER_STEP);

  const beginning = begin(platform);
  const startMs = performance.now();
  if (isNoticed) {
    await waitFor("all servers are unready", async () => {
      const answers = await Promise.all(platform.servers.map((server) => server.readiness()));
      return answers.every(({ status, ready }) => status === 503 && !ready);
    });
    await waitFor("all streams are stale", () => load.viewers.every(({ isStale }) => isStale));
  }
  for (const viewer of leavers) viewer.close();
  await sleep(Math.max(0, durationMs - (performance.now() - startMs)));
  await beginning;
  await end(platform);

  const stopMeasuring = measureStalls();
  const backMs = await load.waitUntilLive(stayers);
  const correctMs = backMs + (await load.waitUntilCorrect());
  const stallMs = await stopMeasuring();
  const goneMs = await load.waitForLeases(leavers, "none");
  await load.waitUntilCorrect();

  expect(platform.servers.every(({ isRunning }) => isRunning)).toBe(true);
  const reconnected = stayers.filter(({ connections }) => connections > 1).map(({ client }) => client);
  load.expectNoFalseEvents(stayers);
  expect(reconnected, "viewers whose streams did not stay open").toEqual([]);
  expect(correctMs, "time until all viewers are correct").toBeLessThanOrEqual(2 * heartbeatIntervalMs + stallMs);
  report(context, {
    fault,
    expected:
      "servers keep running and become unready, streams stay open, no false OFFLINE, viewers correct within 2 × d after the outage",
    measured: `0 of ${stayers.length} seen OFFLINE; viewers correct after ${seconds(correctMs)}, clients that left OFFLINE after ${seconds(correctMs + goneMs)} (d = ${seconds(heartbeatIntervalMs)})`,
  });
}
