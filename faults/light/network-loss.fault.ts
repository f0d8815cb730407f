import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { waitFor } from "@presence/testkit";
import { expect, it, onTestFinished } from "vitest";
import { Load, numberOf } from "../load/load.ts";
import { NetworkNamespace, networkProblem } from "../platform/network-namespace.ts";
import { Platform } from "../platform/platform.ts";
import { report, seconds } from "../report/measurement.ts";

const HEARTBEAT_INTERVAL_MS = 3_000;
/** Allowance for a busy machine. */
const SLACK_MS = 500;

const problem = networkProblem();

it("reports a browser OFFLINE within 3 × d after its network is lost", async (context) => {
  context.skip(problem !== undefined, problem);
  const network = NetworkNamespace.create();
  const platform = await Platform.start({
    heartbeatIntervalMs: HEARTBEAT_INTERVAL_MS,
    servers: 2,
    server: (index) => (index === 0 ? { host: network.hereAddress } : {}),
  });
  const [reached, other] = platform.twoServers;
  const load = await Load.start(platform, { size: 3, contacts: 2, route: () => other });
  const browser = await openBrowser(network, `${reached.url}/?as=anouk`);
  const observer = await load.addObserver(other, ["anouk"]);
  const waitForStatus = (status: string) =>
    waitFor(`anouk is ${status}`, () => observer.state.statusOf("anouk") === status);

  network.cut();
  const offlineMs = await waitForStatus("OFFLINE");
  expect(offlineMs).toBeLessThan(3 * HEARTBEAT_INTERVAL_MS + SLACK_MS);
  await waitFor("the connection is closed", async () => (await reached.metric("presence_connections")) === 0);
  expect(await reached.metric('presence_connections_closed_total{reason="ghost"}')).toBe(1);

  network.restore();
  const onlineMs = await waitForStatus("ONLINE");
  expect(browser.exitCode).toBeNull();
  load.expectNoFalseEvents();
  report(context, {
    fault: "the network of a browser is lost, no connection is closed",
    expected: "OFFLINE and connection closed within 3 × d; the browser reconnects automatically",
    measured: `OFFLINE after ${seconds(offlineMs)} (d = ${seconds(HEARTBEAT_INTERVAL_MS)}); ONLINE ${seconds(onlineMs)} after the network is back`,
  });
});

it("reports a server's clients OFFLINE within 3 × d after its network is lost", async (context) => {
  context.skip(problem !== undefined, problem);
  const network = NetworkNamespace.create();
  const platform = await Platform.start({
    heartbeatIntervalMs: HEARTBEAT_INTERVAL_MS,
    servers: 1,
    // Only the namespace can reach this address.
    redis: { args: ["--bind", `127.0.0.1 ${network.hereAddress}`, "--protected-mode", "no"] },
  });
  await platform.addServer({
    host: network.insideAddress,
    wrapper: network.wrapper,
    redisUrl: platform.redis.url.replace("127.0.0.1", network.hereAddress),
  });
  const [other, cut] = platform.twoServers;
  const isAtCut = (client: string) => numberOf(client) % 2 === 0;
  const load = await Load.start(platform, {
    size: 60,
    contacts: 10,
    route: (client) => (isAtCut(client) ? cut : other),
  });
  const lost = load.viewers.filter(({ client }) => isAtCut(client));
  const others = load.viewers.filter(({ client }) => !isAtCut(client));

  network.cut();
  const offlineMs = await waitFor("the others see the server's clients OFFLINE", () =>
    others.every(({ client, state }) =>
      load.contactsOf(client).every((contact) => state.statusOf(contact) === (isAtCut(contact) ? "OFFLINE" : "ONLINE")),
    ),
  );
  expect(offlineMs).toBeLessThan(3 * HEARTBEAT_INTERVAL_MS + SLACK_MS);

  network.restore();
  const backMs = (await load.waitForLeases(lost, "all")) + (await load.waitUntilLive(load.viewers));
  await load.waitUntilCorrect();
  load.expectNoFalseEvents(others);
  report(context, {
    fault: `the network of a server with ${lost.length} clients is lost, no connection is closed`,
    expected: "its clients OFFLINE within 3 × d, the others never; viewers correct when it is back",
    measured: `OFFLINE after ${seconds(offlineMs)} (d = ${seconds(HEARTBEAT_INTERVAL_MS)}), 0 of ${others.length} others seen OFFLINE; viewers correct ${seconds(backMs)} after the network is back`,
  });
});

/** Starts Chromium inside the network. It ends with the test. */
async function openBrowser(network: NetworkNamespace, url: string) {
  const profile = await mkdtemp(join(tmpdir(), "presence-network-"));
  const [file = "", ...wrapper] = network.wrapper;
  const chromium = process.env["CHROMIUM_PATH"] ?? "chromium";
  const args = ["--headless", "--disable-gpu", "--no-sandbox", "--no-first-run", `--user-data-dir=${profile}`, url];
  const browser = spawn(file, [...wrapper, chromium, ...args], { stdio: "ignore", detached: true });
  const killAll = () => {
    if (browser.pid !== undefined && browser.exitCode === null) process.kill(-browser.pid, "SIGKILL");
  };
  process.once("exit", killAll);
  onTestFinished(async () => {
    process.off("exit", killAll);
    const exited = once(browser, "exit");
    killAll();
    await exited;
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  });
  return browser;
}
