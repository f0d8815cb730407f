import { readdir } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it, onTestFinished } from "vitest";
import { Platform } from "../platform/platform.ts";
import type { PresenceServer } from "../platform/presence-server.ts";
import { report } from "../report/figure.ts";
import { Crowd } from "../viewers/crowd.ts";
import { until } from "../viewers/until.ts";

const OPEN_FILES = 256;
/** Within the limit, but not with those who follow. */
const SERVED = 100;
const FLOOD = 400;
const FLOOD_MS = 3_000;

it("a server runs out of file descriptors", async (context) => {
  const platform = await Platform.start({
    heartbeatIntervalMs: 2_000,
    servers: 1,
    server: () => ({ within: ["prlimit", `--nofile=${OPEN_FILES}`] }),
  });
  const [crowded] = platform.servers;
  if (!crowded) throw new Error("unreachable");
  const crowd = await Crowd.gather(platform, { size: SERVED, contacts: 10, route: () => crowded });

  const refused = await untilRefused(crowded);
  expect(refused.status).toBe(503);
  expect(refused.headers.get("retry-after")).toMatch(/^[1-5]$/);
  expect(refused.headers.get("connection")).toBe("close");
  expect(await refused.json()).toMatchObject({ type: "urn:presence:problem:server-full", status: 503 });

  const flood = Array.from({ length: FLOOD }, () => openSocket(crowded));
  await until("sockets are closed as soon as they open", () => flood.some(({ closed }) => closed));
  const openFiles = await filesOf(crowded);
  // Its connections to Redis have to be had anew, in the middle of it.
  await platform.commands.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
  await sleep(FLOOD_MS);
  const [leaver, ...stayers] = crowd.viewers;
  leaver?.close();
  await until("who left is gone", async () => !(await platform.leases()).has(leaver?.client ?? ""));
  await crowd.untilRight();
  expect(crowded.isRunning).toBe(true);
  expect(openFiles).toBeLessThan(OPEN_FILES);
  expect(crowd.violations()).toEqual([]);
  expect(crowd.departures(stayers.map(({ client }) => client))).toEqual([]);
  expect(stayers.every(({ connections }) => connections === 1)).toBe(true);

  for (const socket of flood) socket.destroy();
  leaver?.open();
  await until("there is room again", () => leaver?.isLive === true);
  const count = await crowded.metric("presence_refused_total");
  report(context, {
    fault: `no file descriptor is left (${OPEN_FILES} at most, ${SERVED} streams, ${FLOOD} sockets more)`,
    holds: "refused with a clear reason, served clients stay served, Redis can be had anew, room again after it",
    measured: `${stayers.length} of ${stayers.length} streams went on, ${count} refused, ${openFiles} files open at most`,
  });
});

/** Opens streams of strangers until one is refused, and holds on to the others. */
async function untilRefused(server: PresenceServer): Promise<Response> {
  const ending = new AbortController();
  onTestFinished(() => ending.abort());
  for (let count = 0; count < OPEN_FILES; count += 1) {
    const response = await fetch(`${server.url}/events/stranger-${count}`, { signal: ending.signal });
    if (response.status !== 200) return response;
  }
  throw new Error("nobody was refused");
}

/** One on which nothing is asked. */
function openSocket({ host, port }: PresenceServer): Socket {
  const socket = connect({ host, port });
  socket.on("error", () => {});
  onTestFinished(() => {
    socket.destroy();
  });
  return socket;
}

async function filesOf({ pid }: PresenceServer): Promise<number> {
  return (await readdir(`/proc/${pid}/fd`)).length;
}
