import { expect, it } from "vitest";
import { Platform } from "../platform/platform.ts";
import { report } from "../report/figure.ts";
import { Crowd } from "../viewers/crowd.ts";
import { until } from "../viewers/until.ts";
import type { Viewer } from "../viewers/viewer.ts";

const SERVERS = 3;
const CLIENTS = 600;
/** Every so-many-th comes and goes all the while. */
const RESTLESS_STEP = 15;
const DRAIN_LIMIT_MS = 10_000;
/** At most this share of a server's readers is sent away in any one second. */
const SHARE_OF_A_SECOND = 0.4;

it("a rolling restart", async (context) => {
  const platform = await Platform.start({ heartbeatIntervalMs: 2_000, servers: SERVERS });
  // One that stays, for a witness of all that happens.
  const steady = await platform.addServer();
  const isReady = new Map(platform.servers.map((server) => [server, true]));
  const lost: { client: string; atMs: number }[] = [];
  const crowd = await Crowd.gather(platform, {
    size: CLIENTS,
    contacts: 10,
    route: () =>
      anyOf(platform.servers.filter((server) => server !== steady && server.isRunning && isReady.get(server))),
    onEnd: (client) => lost.push({ client, atMs: performance.now() }),
  });
  const restless = crowd.viewers.filter((_, index) => index % RESTLESS_STEP === 0);
  const restlessIds = restless.map(({ client }) => client);
  const witness = await crowd.addWitness(steady, restlessIds);
  const from = witness.picture.lastId?.version ?? 0;
  const stir = comeAndGo(restless);

  // A proxy asks every server again and again whether it should be sent anybody.
  const health = setInterval(() => {
    for (const server of platform.servers) {
      server.readiness().then(
        ({ ready }) => isReady.set(server, ready),
        () => isReady.set(server, false),
      );
    }
  }, 500);
  const drainsMs: number[] = [];
  const busiest: number[] = [];
  for (const server of platform.servers.slice(0, SERVERS)) {
    lost.length = 0;
    drainsMs.push(await server.stop());
    const staying = lost.filter(({ client }) => !restlessIds.includes(client));
    busiest.push(
      mostWithin(
        1_000,
        staying.map(({ atMs }) => atMs),
      ) / staying.length,
    );
    await until("everyone is back", () => crowd.viewers.every((viewer) => viewer.isLive || restless.includes(viewer)));
    await server.startAgain();
    isReady.set(server, true);
  }
  clearInterval(health);
  await stir.stop();
  await crowd.untilRight();

  expect(crowd.violations()).toEqual([]);
  const steadyIds = crowd.clients.filter((client) => !restlessIds.includes(client));
  expect(crowd.departures(steadyIds), "who flapped").toEqual([]);
  const missed = crowd.viewers
    .filter((viewer) => !restless.includes(viewer))
    .flatMap((viewer) => {
      const clients = crowd.contactsOf(viewer.client).filter((client) => restlessIds.includes(client));
      return whatDiffers(viewer, { witness, clients, from });
    });
  expect(missed, "who was told something else than the witness").toEqual([]);
  expect(witness.picture.transitions.length, "what there was to tell").toBeGreaterThan(restless.length);
  expect(Math.max(...drainsMs), "how long a server took to drain").toBeLessThan(DRAIN_LIMIT_MS);
  expect(Math.max(...busiest), "the share that was sent away in one second").toBeLessThan(SHARE_OF_A_SECOND);
  const resumed = crowd.viewers.reduce((sum, { connections, snapshots }) => sum + connections - snapshots, 0);
  report(context, {
    fault: `rolling restart (SIGTERM) of ${SERVERS} servers with ${CLIENTS} clients, ${restless.length} of whom come and go`,
    holds: "no flap, no lost event; each drains within 10 s, its clients told to move, spread out",
    measured: `0 flaps, 0 of ${witness.picture.transitions.length} changes lost; drained in ${Math.max(...drainsMs.map((ms) => Math.round(ms / 100) / 10))} s at most, ${Math.round(100 * Math.max(...busiest))} % in the busiest second; ${resumed} streams resumed without a snapshot`,
  });
});

/** Closes and opens them again, each a while after the other, until it is stopped; then all are there. */
function comeAndGo(viewers: readonly Viewer[]): { stop(): Promise<void> } {
  const AWAY_MS = 5_000;
  const away = new Map<Viewer, NodeJS.Timeout>();
  let next = 0;
  const timer = setInterval(() => {
    const viewer = viewers[next % viewers.length];
    next += 1;
    if (!viewer || away.has(viewer)) return;
    viewer.close();
    const back = setTimeout(() => {
      away.delete(viewer);
      viewer.open();
    }, AWAY_MS);
    away.set(viewer, back);
  }, 200);
  return {
    stop: async () => {
      clearInterval(timer);
      await until("all are back who come and go", () => away.size === 0 && viewers.every(({ isLive }) => isLive));
    },
  };
}

interface Comparison {
  witness: Viewer;
  /** Of whom. */
  clients: readonly string[];
  /** From which version on. */
  from: number;
}

/** Where what a viewer was told of these clients is something else than the witness was told, in words. */
function whatDiffers(viewer: Viewer, { witness, clients, from }: Comparison): string[] {
  const story = ({ picture }: Viewer, client: string) =>
    picture.transitions
      .filter((transition) => transition.client === client && transition.version > from)
      .map(({ status, since }) => `${status} at ${since}`)
      .join(", ");
  return clients
    .filter((client) => story(viewer, client) !== story(witness, client))
    .map(
      (client) =>
        `${viewer.client} was told of ${client}: ${story(viewer, client)}, and not: ${story(witness, client)}`,
    );
}

/** How many of these moments lie within the fullest stretch of this length. */
function mostWithin(lengthMs: number, momentsMs: readonly number[]): number {
  return Math.max(...momentsMs.map((start) => momentsMs.filter((ms) => ms >= start && ms < start + lengthMs).length));
}

function anyOf<Value>(values: readonly Value[]): Value | undefined {
  return values[Math.floor(Math.random() * values.length)];
}
