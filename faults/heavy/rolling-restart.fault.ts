import { waitFor } from "@presence/testkit";
import { expect, it } from "vitest";
import { Load, randomServer } from "../load/load.ts";
import type { Viewer } from "../load/viewer.ts";
import { Platform } from "../platform/platform.ts";
import { report, seconds } from "../report/measurement.ts";

const SERVERS = 3;
const CLIENTS = 600;
/** Every 15th client disconnects and reconnects repeatedly. */
const FLAPPER_STEP = 15;
const AWAY_MS = 5_000;
const HEALTH_CHECK_INTERVAL_MS = 500;
const DRAIN_LIMIT_MS = 10_000;
/** At most this share of a server's streams may be closed within any second. */
const MAX_SHARE_PER_SECOND = 0.4;

it("loses no event in a rolling restart", async (context) => {
  const platform = await Platform.start({ heartbeatIntervalMs: 2_000, servers: SERVERS });
  const restarted = [...platform.servers];
  // Not restarted: its observer gets all events.
  const steady = await platform.addServer();
  const isReady = new Map(platform.servers.map((server) => [server, true]));
  const closed: { client: string; atMs: number }[] = [];
  const load = await Load.start(platform, {
    size: CLIENTS,
    contacts: 10,
    route: () => randomServer({ servers: restarted.filter((server) => isReady.get(server)) }),
    onEnd: (client) => closed.push({ client, atMs: performance.now() }),
  });
  const { leavers: flappers, stayers } = load.split(FLAPPER_STEP);
  const flapperIds = new Set(flappers.map(({ client }) => client));
  const observer = await load.addObserver(steady, [...flapperIds]);
  const fromVersion = observer.state.lastId?.version ?? 0;
  const flapping = startFlapping(flappers);

  const healthChecks = setInterval(() => {
    for (const server of platform.servers) {
      server.readiness().then(
        ({ ready }) => isReady.set(server, ready),
        () => isReady.set(server, false),
      );
    }
  }, HEALTH_CHECK_INTERVAL_MS);
  const drainsMs: number[] = [];
  const busiestShares: number[] = [];
  for (const server of restarted) {
    closed.length = 0;
    drainsMs.push(await server.stop());
    const closedMs = closed.filter(({ client }) => !flapperIds.has(client)).map(({ atMs }) => atMs);
    busiestShares.push(maxWithin(1_000, closedMs) / closedMs.length);
    await load.waitUntilLive(stayers);
    await server.restart();
    isReady.set(server, true);
  }
  clearInterval(healthChecks);
  await flapping.stop();
  await load.waitUntilCorrect();

  load.expectNoFalseEvents(stayers);
  const missed = stayers.flatMap((viewer) => {
    const clients = load.contactsOf(viewer.client).filter((client) => flapperIds.has(client));
    return differencesFrom(observer, viewer, clients, fromVersion);
  });
  const changes = observer.state.transitions.length;
  const [drainMs, busiestShare] = [Math.max(...drainsMs), Math.max(...busiestShares)];
  expect(missed, "viewers with other events than the observer").toEqual([]);
  expect(changes, "changes that the observer saw").toBeGreaterThan(flappers.length);
  expect(drainMs, "longest drain").toBeLessThan(DRAIN_LIMIT_MS);
  expect(busiestShare, "share of streams closed within one second").toBeLessThan(MAX_SHARE_PER_SECOND);
  const resumed = load.viewers.reduce((sum, { connections, snapshots }) => sum + connections - snapshots, 0);
  report(context, {
    fault: `rolling restart (SIGTERM) of ${SERVERS} servers with ${CLIENTS} clients, ${flappers.length} of which come and go`,
    expected: "no flap, no lost event; each server drains within 10 s and spreads the reconnects",
    measured: `0 flaps, 0 of ${changes} changes lost; drained within ${seconds(drainMs)}, ${Math.round(100 * busiestShare)} % in the busiest second; ${resumed} streams resumed without a snapshot`,
  });
});

/** Closes the viewers in turn and reopens each after `AWAY_MS`. `stop` resolves when all are live again. */
function startFlapping(viewers: readonly Viewer[]): { stop(): Promise<void> } {
  const away = new Set<Viewer>();
  let next = 0;
  const timer = setInterval(() => {
    const viewer = viewers[next % viewers.length];
    next += 1;
    if (!viewer || away.has(viewer)) return;
    away.add(viewer);
    viewer.close();
    setTimeout(() => {
      away.delete(viewer);
      viewer.open();
    }, AWAY_MS);
  }, 200);
  return {
    stop: async () => {
      clearInterval(timer);
      await waitFor("all viewers are back", () => away.size === 0 && viewers.every(({ isLive }) => isLive));
    },
  };
}

/** Describes where a viewer saw other changes of these clients than the observer, after a version. */
function differencesFrom(observer: Viewer, viewer: Viewer, clients: readonly string[], fromVersion: number): string[] {
  const changesOf = ({ state }: Viewer, client: string) =>
    state.transitions
      .filter((transition) => transition.client === client && transition.version > fromVersion)
      .map(({ status, since }) => `${status} at ${since}`)
      .join(", ");
  return clients
    .filter((client) => changesOf(viewer, client) !== changesOf(observer, client))
    .map(
      (client) => `${viewer.client} on ${client}: ${changesOf(viewer, client)}; not: ${changesOf(observer, client)}`,
    );
}

/** The largest number of these times that lie within `lengthMs`. */
function maxWithin(lengthMs: number, timesMs: readonly number[]): number {
  return Math.max(...timesMs.map((start) => timesMs.filter((ms) => ms >= start && ms < start + lengthMs).length));
}
