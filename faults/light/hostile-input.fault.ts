import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import fc from "fast-check";
import { expect, it, onTestFinished } from "vitest";
import { type Command, hostileCommands } from "../hostile/commands.ts";
import { type HostileRequest, hostileRequests, sendHostile } from "../hostile/requests.ts";
import { Platform } from "../platform/platform.ts";
import type { PresenceServer } from "../platform/presence-server.ts";
import { report } from "../report/figure.ts";
import { Crowd } from "../viewers/crowd.ts";
import { until } from "../viewers/until.ts";

const PEOPLE = 30;
const REQUESTS = 5_000;
const WRITES = 5_000;
const SENT_AT_ONCE = 80;
const REQUESTS_PER_TOKEN = 20;
const MAX_LOG_LINE_LENGTH = 8_000;
/** The same ten thousand each time: what one run finds, the next can look at. */
const SEED = 20_261_126;

it(`strangers send what they should not, and write it straight into Redis (seed ${SEED})`, async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "presence-hostile-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const logs = [0, 1].map((index) => join(folder, `${index}.log`));
  const platform = await Platform.start({
    heartbeatIntervalMs: 2_000,
    servers: logs.length,
    server: (index) => ({ logFile: logs[index] ?? "", env: { LOG_LEVEL: "debug" } }),
  });
  const crowd = await Crowd.gather(platform, { size: PEOPLE, contacts: 10 });
  const sample = { numRuns: REQUESTS, seed: SEED };
  const requests = fc.sample(hostileRequests(crowd.clients), sample);
  const servers = platform.servers.map(({ serverId }) => serverId);
  const writes = fc.sample(hostileCommands(crowd.clients, servers), { numRuns: WRITES, seed: SEED });

  const [statuses, taken] = await Promise.all([sendAll(platform.servers, requests), writeAll(platform, writes)]);

  // Nothing that anyone sends is the server's own fault, and half of what is written is taken.
  expect(statuses.filter((status) => status !== undefined && status >= 500 && status !== 503)).toEqual([]);
  for (const status of [200, 201, 204, 400, 401, 404, 405, 406, 415, 431]) expect(statuses).toContain(status);
  expect(statuses.filter((status) => status === undefined).length).toBeLessThan(REQUESTS / 10);
  expect(taken).toBeGreaterThan(WRITES / 2);
  await crowd.untilRight();
  expect(crowd.violations()).toEqual([]);
  for (const server of platform.servers) {
    expect(server.isRunning).toBe(true);
    await until("it is ready", async () => (await server.readiness()).status === 200);
  }
  // Who is right now may have been right before: something more has to happen, and be seen.
  const [leaver] = crowd.viewers;
  leaver?.close();
  await until("who left is gone", async () => !(await platform.leases()).has(leaver?.client ?? ""));
  await crowd.untilRight();
  leaver?.open();
  await until("who left is back", () => leaver?.isLive === true);
  await crowd.untilRight();

  const lines = (await Promise.all(logs.map((log) => readFile(log, "utf8")))).flatMap((text) =>
    text.trimEnd().split("\n"),
  );
  expect(lines.length).toBeGreaterThan(REQUESTS / 2);
  expect(lines.filter((line) => !isReadable(line)).map((line) => line.slice(0, 300))).toEqual([]);
  expect(lines.filter((line) => line.includes('"msg":"unexpected error"'))).toEqual([]);
  expect(platform.servers.flatMap(({ complaints }) => complaints)).toEqual([]);
  report(context, {
    fault: `${(REQUESTS + WRITES).toLocaleString("en")} hostile requests, and entries and keys in Redis`,
    holds: "every process up, every viewer right, the log readable",
    measured: `${statuses.length.toLocaleString("en")} requests without an error of the server's own, ${taken.toLocaleString("en")} of ${writes.length.toLocaleString("en")} writes taken, 0 of ${PEOPLE} viewers wrong; ${lines.length.toLocaleString("en")} log lines, the longest ${Math.max(...lines.map(({ length }) => length)).toLocaleString("en")} characters`,
  });
});

async function sendAll(
  servers: readonly PresenceServer[],
  requests: readonly HostileRequest[],
): Promise<(number | undefined)[]> {
  const statuses: (number | undefined)[] = [];
  const tokens = new Map<PresenceServer, string[]>();
  for (const server of servers) tokens.set(server, await signInOften(server, requests.length / REQUESTS_PER_TOKEN));
  const left = requests.entries();
  const sendSome = async () => {
    for (const [index, request] of left) {
      const server = servers[index % servers.length] as PresenceServer;
      // Somebody may have signed out with the one before.
      const token = tokens.get(server)?.[Math.floor(index / REQUESTS_PER_TOKEN)] ?? "";
      statuses.push(await sendHostile(request, server, token));
    }
  };
  await Promise.all(Array.from({ length: SENT_AT_ONCE }, sendSome));
  return statuses;
}

/** @returns how many of them Redis took */
async function writeAll(platform: Platform, writes: readonly Command[][]): Promise<number> {
  let taken = 0;
  for (const commands of writes) {
    const answers = await Promise.all(
      commands.map(([name, ...args]) =>
        platform.commands.call(name, ...args).then(
          () => true,
          () => false,
        ),
      ),
    );
    if (answers.every(Boolean)) taken += 1;
  }
  return taken;
}

async function signInOften(server: PresenceServer, times: number): Promise<string[]> {
  const tokens: string[] = [];
  for (let count = 0; count < times; count += 1) tokens.push(await signIn(server));
  return tokens;
}

/** By a connection of its own: one that was kept may just be closing. */
async function signIn({ host, port }: PresenceServer): Promise<string> {
  const headers = { "Content-Type": "application/json" };
  const asked = request({ host, port, path: "/api/sessions", method: "POST", agent: false, headers });
  asked.end(JSON.stringify({ client: "a-guest" }));
  const [answer] = (await once(asked, "response")) as [IncomingMessage];
  return ((await json(answer)) as { token: string }).token;
}

/** One JSON object, not too long, without anything that a terminal would obey. */
function isReadable(line: string): boolean {
  if (line.length > MAX_LOG_LINE_LENGTH || /\p{C}|\u2028|\u2029/u.test(line)) return false;
  try {
    return typeof JSON.parse(line) === "object";
  } catch {
    return false;
  }
}
