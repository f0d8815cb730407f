import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { type PresenceServer, waitFor } from "@presence/testkit";
import fc from "fast-check";
import { expect, it, onTestFinished } from "vitest";
import { type Command, hostileCommands } from "../hostile/commands.ts";
import { type HostileRequest, hostileRequests, sendHostile } from "../hostile/requests.ts";
import { Load } from "../load/load.ts";
import { Platform } from "../platform/platform.ts";
import { count, report } from "../report/measurement.ts";

const CLIENTS = 30;
const REQUESTS = 5_000;
const WRITES = 5_000;
const CONCURRENT_REQUESTS = 80;
const REQUESTS_PER_TOKEN = 20;
const MAX_LOG_LINE_LENGTH = 8_000;
/** Fixed, so that a failure can be reproduced. */
const SEED = 20_261_126;

it(`serves its clients while it gets hostile requests and Redis gets hostile writes (seed ${SEED})`, async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "presence-hostile-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const logs = [0, 1].map((index) => join(folder, `${index}.log`));
  const platform = await Platform.start({
    heartbeatIntervalMs: 2_000,
    servers: logs.length,
    server: (index) => ({ logFile: logs[index] ?? "", env: { LOG_LEVEL: "debug" } }),
  });
  const load = await Load.start(platform, { size: CLIENTS, contacts: 10 });
  const sample = { numRuns: REQUESTS, seed: SEED };
  const requests = fc.sample(hostileRequests(load.clients), sample);
  const servers = platform.servers.map(({ serverId }) => serverId);
  const writes = fc.sample(hostileCommands(load.clients, servers), { numRuns: WRITES, seed: SEED });

  const [statuses, accepted] = await Promise.all([sendAll(platform.servers, requests), writeAll(platform, writes)]);

  // No request causes an internal error, and Redis accepts at least half of the writes.
  expect(statuses.filter((status) => status !== undefined && status >= 500 && status !== 503)).toEqual([]);
  for (const status of [200, 201, 204, 400, 401, 404, 405, 406, 415, 431]) expect(statuses).toContain(status);
  expect(statuses.filter((status) => status === undefined).length).toBeLessThan(REQUESTS / 10);
  expect(accepted).toBeGreaterThan(WRITES / 2);
  await load.waitUntilCorrect();
  load.expectNoFalseEvents([]);
  for (const server of platform.servers) {
    expect(server.isRunning).toBe(true);
    await waitFor("the server is ready", async () => (await server.readiness()).status === 200);
  }
  // Correct statuses may be old ones. So further changes must arrive.
  const { leavers } = load.split(CLIENTS);
  for (const viewer of leavers) viewer.close();
  await load.waitForLeases(leavers, "none");
  await load.waitUntilCorrect();
  for (const viewer of leavers) viewer.open();
  await load.waitUntilLive(leavers);
  await load.waitUntilCorrect();

  const lines = (await Promise.all(logs.map((log) => readFile(log, "utf8")))).flatMap((text) =>
    text.trimEnd().split("\n"),
  );
  expect(lines.length).toBeGreaterThan(REQUESTS / 2);
  expect(lines.filter((line) => !isReadable(line)).map((line) => line.slice(0, 300))).toEqual([]);
  expect(lines.filter((line) => line.includes('"msg":"unexpected error"'))).toEqual([]);
  expect(platform.servers.flatMap(({ warnings }) => warnings)).toEqual([]);
  report(context, {
    fault: `${count(REQUESTS + WRITES)} hostile requests, and entries and keys in Redis`,
    expected: "all processes keep running, all viewers correct, the log readable",
    measured: `${count(statuses.length)} requests without an internal error, ${count(accepted)} of ${count(writes.length)} writes accepted, 0 of ${CLIENTS} viewers wrong; ${count(lines.length)} log lines, the longest ${count(Math.max(...lines.map(({ length }) => length)))} characters`,
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
      // A request may sign out, so each token serves a few requests only.
      const token = tokens.get(server)?.[Math.floor(index / REQUESTS_PER_TOKEN)] ?? "";
      statuses.push(await sendHostile(request, server, token));
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT_REQUESTS }, sendSome));
  return statuses;
}

/** @returns how many Redis accepted */
async function writeAll(platform: Platform, writes: readonly Command[][]): Promise<number> {
  let accepted = 0;
  for (const commands of writes) {
    const answers = await Promise.all(
      commands.map(([name, ...args]) =>
        platform.commands.call(name, ...args).then(
          () => true,
          () => false,
        ),
      ),
    );
    if (answers.every(Boolean)) accepted += 1;
  }
  return accepted;
}

async function signInOften(server: PresenceServer, times: number): Promise<string[]> {
  const tokens: string[] = [];
  for (let count = 0; count < times; count += 1) tokens.push(await signIn(server));
  return tokens;
}

/** Uses a connection of its own: the server may be closing a kept-alive one. */
async function signIn({ host, port }: PresenceServer): Promise<string> {
  const headers = { "Content-Type": "application/json" };
  const sent = request({ host, port, path: "/api/sessions", method: "POST", agent: false, headers });
  sent.end(JSON.stringify({ client: "a-guest" }));
  const [answer] = (await once(sent, "response")) as [IncomingMessage];
  return ((await json(answer)) as { token: string }).token;
}

/** Whether the line is a JSON object of limited length without control characters. */
function isReadable(line: string): boolean {
  if (line.length > MAX_LOG_LINE_LENGTH || /\p{C}|\u2028|\u2029/u.test(line)) return false;
  try {
    return typeof JSON.parse(line) === "object";
  } catch {
    return false;
  }
}
