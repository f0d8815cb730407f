import { readdir } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { type PresenceServer, waitFor } from "@presence/testkit";
import { expect, it, onTestFinished } from "vitest";
import { Load } from "../load/load.ts";
import { Platform } from "../platform/platform.ts";
import { report } from "../report/measurement.ts";

const OPEN_FILES = 256;
/** Within the limit alone, but not together with the flood. */
const SERVED = 100;
const FLOOD = 400;
const FLOOD_MS = 3_000;

it("refuses new connections and keeps its streams when a server is out of file descriptors", async (context) => {
  const platform = await Platform.start({
    heartbeatIntervalMs: 2_000,
    servers: 1,
    server: () => ({ wrapper: ["prlimit", `--nofile=${OPEN_FILES}`] }),
  });
  const [server] = platform.servers as [PresenceServer];
  const load = await Load.start(platform, { size: SERVED, contacts: 10 });

  const refused = await openUntilRefused(server);
  expect(refused.status).toBe(503);
  expect(refused.headers.get("retry-after")).toMatch(/^[1-5]$/);
  expect(refused.headers.get("connection")).toBe("close");
  expect(await refused.json()).toMatchObject({ type: "urn:presence:problem:server-full", status: 503 });

  const flood = Array.from({ length: FLOOD }, () => openSocket(server));
  await waitFor("the server closes new sockets", () => flood.some(({ closed }) => closed));
  const openFiles = (await readdir(`/proc/${server.pid}/fd`)).length;
  // The server must be able to reconnect to Redis during the flood.
  await platform.commands.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
  await sleep(FLOOD_MS);
  const { leavers, stayers } = load.split(SERVED);
  for (const viewer of leavers) viewer.close();
  await load.waitForLeases(leavers, "none");
  await load.waitUntilCorrect();
  expect(server.isRunning).toBe(true);
  expect(openFiles).toBeLessThan(OPEN_FILES);
  load.expectNoFalseEvents(stayers);
  expect(stayers.every(({ connections }) => connections === 1)).toBe(true);

  for (const socket of flood) socket.destroy();
  for (const viewer of leavers) viewer.open();
  await load.waitUntilLive(leavers);
  const count = await server.metric("presence_refused_total");
  report(context, {
    fault: `no file descriptor is left (limit ${OPEN_FILES}, ${SERVED} streams, ${FLOOD} more sockets)`,
    expected:
      "refusals with a clear reason, open streams continue, Redis reconnects, connections accepted again after it",
    measured: `${stayers.length} of ${stayers.length} streams continued, ${count} refused, at most ${openFiles} files open`,
  });
});

/** Opens streams of guests until one is refused. Keeps the others open until the test ends. */
async function openUntilRefused(server: PresenceServer): Promise<Response> {
  const abort = new AbortController();
  onTestFinished(() => abort.abort());
  for (let count = 0; count < OPEN_FILES; count += 1) {
    const response = await fetch(`${server.url}/events/stranger-${count}`, { signal: abort.signal });
    if (response.status !== 200) return response;
  }
  throw new Error("No stream was refused.");
}

/** Opens a connection that sends nothing. */
function openSocket({ host, port }: PresenceServer): Socket {
  const socket = connect({ host, port });
  socket.on("error", () => {});
  onTestFinished(() => {
    socket.destroy();
  });
  return socket;
}
