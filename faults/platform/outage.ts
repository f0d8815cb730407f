import { setTimeout as sleep } from "node:timers/promises";
import { expect, type TestContext } from "vitest";
import { report } from "../report/figure.ts";
import { Crowd } from "../viewers/crowd.ts";
import { until } from "../viewers/until.ts";
import { measureStalls } from "./machine-stalls.ts";
import { Platform, type PlatformOptions } from "./platform.ts";

const CLIENTS = 60;
const CONTACTS = 12;
/** Every so-many-th leaves while Redis is away. */
const LEAVER_STEP = 10;
const HEARTBEAT_INTERVAL_MS = 4_000;

/** A way for Redis to be away for a time. */
export interface Outage {
  /** In words, as the table tells it. */
  fault: string;
  redis?: PlatformOptions["redis"];
  begin(platform: Platform): Promise<void>;
  /** How long it lasts at least, in ms; and as long as servers take to notice, where they are to. */
  durationMs: number;
  /** Whether it lasts for so long that servers know no longer how things are. */
  isNoticed: boolean;
  end(platform: Platform): Promise<void>;
}

/**
 * Takes Redis away from three servers and their clients, some of whom leave meanwhile. Servers stay up and say that they
 * know nothing, nobody who stayed is seen leaving, and all see the truth within `2 × d` of Redis's return.
 */
export async function surviveOutage(context: TestContext, outage: Outage): Promise<void> {
  const { fault, redis, begin, durationMs, isNoticed, end } = outage;
  const platform = await Platform.start({
    heartbeatIntervalMs: HEARTBEAT_INTERVAL_MS,
    servers: 3,
    ...(redis && { redis }),
  });
  const crowd = await Crowd.gather(platform, { size: CLIENTS, contacts: CONTACTS });
  const leavers = crowd.viewers.filter((_, index) => index % LEAVER_STEP === 0);
  const stayers = crowd.viewers.filter((viewer) => !leavers.includes(viewer));

  const beginning = begin(platform);
  const startMs = performance.now();
  if (isNoticed) {
    await until("all servers say that they are not ready", async () => {
      const answers = await Promise.all(platform.servers.map((server) => server.readiness()));
      return answers.every(({ status, ready }) => status === 503 && !ready);
    });
    await until("all streams have ended", () => crowd.viewers.every(({ isLive }) => !isLive));
  }
  for (const viewer of leavers) viewer.close();
  await sleep(Math.max(0, durationMs - (performance.now() - startMs)));
  await beginning;
  await end(platform);

  const stopMeasuring = measureStalls();
  const backMs = await until("those who stayed have streams again", () => stayers.every(({ isLive }) => isLive));
  const rightMs = backMs + (await crowd.untilRight());
  const stallMs = await stopMeasuring();
  const goneMs = await until("those who left are gone", async () => {
    const leases = await platform.leases();
    return leavers.every(({ client }) => !leases.has(client));
  });
  await crowd.untilRight();

  expect(platform.servers.every(({ isRunning }) => isRunning)).toBe(true);
  expect(crowd.violations()).toEqual([]);
  expect(crowd.departures(stayers.map(({ client }) => client))).toEqual([]);
  expect(rightMs, "until all see the truth").toBeLessThanOrEqual(2 * HEARTBEAT_INTERVAL_MS + stallMs);
  report(context, {
    fault,
    holds: "servers stay up and say that they know nothing, no false OFFLINE, the truth within 2 × d of the return",
    measured: `0 of ${stayers.length} seen leaving; the truth after ${seconds(rightMs)}, those who left gone after ${seconds(rightMs + goneMs)} (d = ${seconds(HEARTBEAT_INTERVAL_MS)})`,
  });
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
