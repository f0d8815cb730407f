import { HEARTBEAT_KEY, leaseKey } from "@presence/protocol";
import { expect, it } from "vitest";
import { percentile } from "../check/percentile.ts";
import { Platform } from "../platform/platform.ts";
import { report } from "../report/figure.ts";
import { Crowd } from "../viewers/crowd.ts";
import { until } from "../viewers/until.ts";

const CROWD = 999;
/** People whom only the one viewer sees, so that it alone is told much; long ids make it more. */
const RESTLESS = Array.from({ length: 1_000 }, (_, index) => `restless-${index}-`.padEnd(64, "x"));
/** A guest, whom everybody sees: by it is measured how late they are told. */
const PULSE = "pulse";
const ROUNDS_READING = 5;
const MOST_ROUNDS = 150;
/** What a busy machine may add, beside twice as much as before. */
const LATENCY_SLACK_MS = 250;
const MEMORY_LIMIT_BYTES = 64 * 1024 * 1024;

it("a viewer stops reading", async (context) => {
  const platform = await Platform.start({ heartbeatIntervalMs: 5_000, servers: 1 });
  const [server] = platform.servers;
  if (!server) throw new Error("There is a server.");
  let latenciesMs: number[] = [];
  const crowd = await Crowd.gather(platform, {
    size: CROWD,
    contacts: 3,
    onChange: ({ client, since }) => {
      if (client === PULSE) latenciesMs.push(Date.now() - since);
    },
  });
  await platform.writeContacts(new Map(RESTLESS.map((client) => [client, []])));
  const arrive = (clients: readonly string[]) =>
    platform.commands.xadd(HEARTBEAT_KEY, "*", "server", "elsewhere", ...clients.flatMap((id) => ["client", id]));
  const leave = (clients: readonly string[]) => platform.commands.del(...clients.map(leaseKey));
  await arrive(RESTLESS);
  const reader = await crowd.addWitness(server, RESTLESS);

  /** All the restless leave and come back, and so does the pulse; resolves when the crowd has been told of the pulse. */
  const round = async () => {
    const before = latenciesMs.length;
    await Promise.all([leave(RESTLESS), arrive([PULSE])]);
    await until("the pulse is seen", () => latenciesMs.length >= before + CROWD);
    await Promise.all([leave([PULSE]), arrive(RESTLESS)]);
    await until("the pulse is gone", () => latenciesMs.length >= before + 2 * CROWD);
  };

  for (let count = 0; count < ROUNDS_READING; count += 1) await round();
  const readingMs = percentile(latenciesMs, 0.5);
  const readingBytes = await server.metric("process_resident_memory_bytes");
  reader.close();

  // The system's buffers for who has never read much are small.
  const stalled = await crowd.addWitness(server, RESTLESS);
  stalled.pause();
  latenciesMs = [];
  let rounds = 0;
  while ((await server.metric("presence_lagged_total")) === 0 || rounds < ROUNDS_READING) {
    expect(rounds, "rounds without an end of what waits for it").toBeLessThan(MOST_ROUNDS);
    await round();
    rounds += 1;
  }
  const stalledMs = percentile(latenciesMs, 0.5);
  const grownBytes = (await server.metric("process_resident_memory_bytes")) - readingBytes;

  stalled.resume();
  await until("it gets a snapshot", () => stalled.snapshots > 1);
  await until("it sees what is true", async () => {
    const leases = await platform.leases();
    return RESTLESS.every((client) => (stalled.picture.statusOf(client) === "ONLINE") === leases.has(client));
  });
  await crowd.untilRight();

  expect(crowd.violations()).toEqual([]);
  expect(crowd.departures(crowd.clients)).toEqual([]);
  expect(stalled.connections, "it kept its connection").toBe(1);
  expect(stalledMs, "how late the others were told (median)").toBeLessThan(2 * readingMs + LATENCY_SLACK_MS);
  expect(grownBytes, "what the server's memory grew by").toBeLessThan(MEMORY_LIMIT_BYTES);
  report(context, {
    fault: `one viewer of ${(CROWD + 1).toLocaleString("en")} stops reading`,
    holds: "bounded memory, the others' latency unchanged, a snapshot when it returns",
    measured: `memory +${Math.max(0, Math.round(grownBytes / 1024 / 1024))} MiB after ${(rounds * 2 * RESTLESS.length).toLocaleString("en")} changes it didn't read; others told after ${stalledMs} ms (median; ${readingMs} ms before); 1 snapshot`,
  });
});
