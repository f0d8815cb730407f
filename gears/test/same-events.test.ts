import { contactKey, downstreamKey, HEARTBEAT_KEY, leaseKey } from "@presence/protocol";
import { expect, onTestFinished, test } from "vitest";
import { RECORDS_KEY } from "../src/presence/keys.ts";
import { TestPlatform } from "./platform.ts";
import { IN_A_CLUSTER, RUNTIMES } from "./runtimes.ts";

/** `d`: so long that only the lease with a short expiry ends. */
const INTERVAL_MS = 60_000;

/** Runs commands of all kinds. Their result does not depend on how long they take. */
async function runScenario(platform: TestPlatform): Promise<void> {
  const { redis, functions } = platform;
  await redis.set(contactKey("anouk"), '{"id":"anouk","name":"Anouk","contacts":["magali","omar","no id",7]}');
  await redis.set(contactKey("magali"), '{"id":"magali","name":"Magali ☕","contacts":["anouk"]}');
  await redis.set(contactKey("omar"), "{");
  await platform.watch("s1", ["anouk", "magali", "?"]);
  await platform.watch("s2", ["*"]);
  await platform.sweep();
  await platform.heartbeat("external", ["anouk", "zoe"], 900);
  await platform.heartbeat("s1", ["magali", "magali", "omar", "not legal", "anouk"], 800);
  await platform.heartbeat("s2", ["zoe", "anouk"], 700);
  await functions.leave("s2", "anouk");
  await redis.del(leaseKey("zoe"));
  await platform.settle();
  await redis.set(leaseKey("yves"), "script", "PX", 60_000);
  await platform.settle();
  await redis.xadd(
    HEARTBEAT_KEY,
    "*",
    "server",
    "s1",
    "client",
    Buffer.from([0xff]),
    "client",
    "omar",
    "client",
    "anouk",
  );
  await redis.xadd(HEARTBEAT_KEY, "*", "client", "lea", "server", "s1");
  await platform.settle();
  await redis.multi().del(leaseKey("omar")).sadd(leaseKey("omar"), "x").exec();
  await platform.settle();
  await platform.heartbeat("external", ["omar"]);
  await functions.unwatch("s1", ["magali"]);
  await functions.leave("s1", "magali");
  await functions.leave("s1", "never-there");
  await redis.del(leaseKey("yves"));
  await redis.set(leaseKey("lea"), "script", "PX", 200);
  await platform.settle();
  await platform.sweepUntil(async () => (await redis.hget(RECORDS_KEY, "lea"))?.startsWith("OFFLINE") ?? false);
  await functions.forget("s2");
}

/** All published events and stored records, without times and the sequence numbers, which start at a time. */
async function outcome(platform: TestPlatform) {
  const { redis } = platform;
  const streams: Record<string, string[][]> = {};
  for (const server of ["s1", "s2", "external"]) {
    const entries = await redis.xrange(downstreamKey(server), "-", "+");
    streams[server] = entries.map(([, fields]) => fields.map((value, index) => withoutTime(fields[index - 1], value)));
  }
  const records = Object.entries(await redis.hgetall(RECORDS_KEY)).map(([client, record]) => {
    const [status, , , server] = record.split(" ");
    return `${client} ${status} ${server}`;
  });
  return { streams, records: records.toSorted(), keys: (await platform.keys("*")).toSorted() };
}

function withoutTime(field: string | undefined, value: string): string {
  const isTime = field === "at" || field === "version" || field === "due" || field === "sequence";
  return isTime ? value.replaceAll(/\d/g, "0") : value;
}

test("all runtimes publish the same events, byte for byte, for the same input", { timeout: 60_000 }, async () => {
  const outcomes = await Promise.all(
    [...RUNTIMES, IN_A_CLUSTER].map(async ({ load, startRedis }) => {
      const server = await startRedis();
      onTestFinished(() => server.stop());
      const platform = await TestPlatform.start(server, load, INTERVAL_MS);
      onTestFinished(() => platform.stop());
      await runScenario(platform);
      return await outcome(platform);
    }),
  );
  expect(outcomes[0]).toEqual(outcomes[1]);
  expect(outcomes[0]).toEqual(outcomes[2]);
  expect(outcomes[0]?.streams["external"]?.length).toBeGreaterThan(9);
});
