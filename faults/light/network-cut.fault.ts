import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { Network, networkProblem } from "../platform/network.ts";
import { Platform } from "../platform/platform.ts";
import { report } from "../report/figure.ts";
import { Crowd } from "../viewers/crowd.ts";
import { until } from "../viewers/until.ts";

const HEARTBEAT_INTERVAL_MS = 3_000;
/** Others run here too, and what is promised is counted from a moment that this process noticed. */
const SLACK_MS = 500;

const problem = networkProblem();

it("the network of a browser is cut, and no connection is closed", async (context) => {
  context.skip(problem !== undefined, problem);
  const network = Network.make();
  const platform = await Platform.start({
    heartbeatIntervalMs: HEARTBEAT_INTERVAL_MS,
    servers: 2,
    server: (index) => (index === 0 ? { host: network.hereAddress } : {}),
  });
  const [reached, other] = platform.servers;
  if (!reached || !other) throw new Error("unreachable");
  const crowd = await Crowd.gather(platform, { size: 3, contacts: 2, route: () => other });
  const browser = await openBrowser(network, `${reached.url}/?as=anouk`);
  const witness = await crowd.addWitness(other, ["anouk"]);

  network.cut();
  const goneMs = await until("anouk is gone", () => witness.picture.statusOf("anouk") === "OFFLINE");
  expect(goneMs).toBeLessThan(3 * HEARTBEAT_INTERVAL_MS + SLACK_MS);
  await until("her connection is gone too", async () => (await reached.metric("presence_connections")) === 0);
  expect(await reached.metric('presence_connections_closed_total{reason="ghost"}')).toBe(1);

  network.mend();
  const backMs = await until("anouk is back by herself", () => witness.picture.statusOf("anouk") === "ONLINE");
  expect(browser.exitCode).toBeNull();
  expect(crowd.violations()).toEqual([]);
  expect(crowd.departures()).toEqual([]);
  report(context, {
    fault: "the network of a browser is cut without a close",
    holds: "the ghost is gone within 3 × d, the connection too; back by itself",
    measured: `OFFLINE after ${seconds(goneMs)} (d = ${seconds(HEARTBEAT_INTERVAL_MS)}); ONLINE ${seconds(backMs)} after the network is back`,
  });
});

it("the network of a server is cut, and no connection is closed", async (context) => {
  context.skip(problem !== undefined, problem);
  const network = Network.make();
  const platform = await Platform.start({
    heartbeatIntervalMs: HEARTBEAT_INTERVAL_MS,
    servers: 1,
    // Who is let in by this address alone are those at the other end of the cable.
    redis: { args: ["--bind", `127.0.0.1 ${network.hereAddress}`, "--protected-mode", "no"] },
  });
  const cut = await platform.addServer({
    host: network.insideAddress,
    within: network.within,
    redisUrl: platform.redis.url.replace("127.0.0.1", network.hereAddress),
  });
  const [other] = platform.servers;
  const isAtCut = (client: string) => Number(client.split("-")[1]) % 2 === 0;
  const crowd = await Crowd.gather(platform, {
    size: 60,
    contacts: 10,
    route: (client) => (isAtCut(client) ? cut : other),
  });
  const lost = crowd.clients.filter(isAtCut);
  const others = crowd.viewers.filter(({ client }) => !isAtCut(client));

  network.cut();
  const goneMs = await until("its clients are gone", () =>
    others.every(({ client, picture }) =>
      crowd
        .contactsOf(client)
        .every((contact) => picture.statusOf(contact) === (isAtCut(contact) ? "OFFLINE" : "ONLINE")),
    ),
  );
  expect(goneMs).toBeLessThan(3 * HEARTBEAT_INTERVAL_MS + SLACK_MS);

  network.mend();
  const rightMs = await until("all of them are back", async () => {
    const leases = await platform.leases();
    return lost.every((client) => leases.has(client)) && crowd.viewers.every(({ isLive }) => isLive);
  });
  await crowd.untilRight();
  expect(crowd.violations()).toEqual([]);
  expect(crowd.departures(others.map(({ client }) => client))).toEqual([]);
  report(context, {
    fault: `the network of a server with ${lost.length} clients is cut without a close`,
    holds: "its clients are gone within 3 × d, the others never; all is right when it is back",
    measured: `OFFLINE after ${seconds(goneMs)} (d = ${seconds(HEARTBEAT_INTERVAL_MS)}), 0 of ${others.length} others seen leaving; the truth ${seconds(rightMs)} after the network is back`,
  });
});

/** A real browser with no one to drive it. */
async function openBrowser(network: Network, url: string) {
  const profile = await mkdtemp(join(tmpdir(), "presence-cut-"));
  const [file = "", ...within] = network.within;
  const chromium = process.env["CHROMIUM_PATH"] ?? "chromium";
  const args = ["--headless", "--disable-gpu", "--no-sandbox", "--no-first-run", `--user-data-dir=${profile}`, url];
  const browser = spawn(file, [...within, chromium, ...args], { stdio: "ignore", detached: true });
  const killAll = () => {
    if (browser.pid !== undefined && browser.exitCode === null) process.kill(-browser.pid, "SIGKILL");
  };
  process.once("exit", killAll);
  onTestFinished(async () => {
    process.off("exit", killAll);
    const ended = once(browser, "exit");
    killAll();
    await ended;
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  });
  return browser;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
