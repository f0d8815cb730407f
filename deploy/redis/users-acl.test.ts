import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RedisServer } from "@presence/testkit";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { startTestServer } from "../../apps/server/test/start-test-server.ts";
import { main as startHost } from "../../gears/src/main.ts";

const HERE = import.meta.dirname;
const ROOT = join(HERE, "../..");
const PASSWORD = "presence";
/** A user with all permissions, for the test's own commands. */
const OPERATOR = "user operator on nopass ~* &* +@all";
/** Commands that ioredis sends itself on each connection. */
const IOREDIS_COMMANDS = ["ping", "info", "client|setname"];
const REDISGEARS_COMMANDS = ["tfcall", "tfunction", "json.get", "json.mget", "json.set"];
const INTERVAL_MS = 1_000;

let folder: string;
let server: RedisServer;
let operator: Redis;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "presence-acl-"));
  const aclFile = join(folder, "users.acl");
  await writeFile(aclFile, `${await readFile(join(HERE, "users.acl"), "utf8")}${OPERATOR}\n`);
  server = await RedisServer.start({ args: await redisArgs(aclFile), isPersistent: true });
  operator = connectAs("operator");
});

afterAll(async () => {
  operator.disconnect();
  await server.stop();
  await rm(folder, { recursive: true });
});

/** `redis.conf` as arguments, with another path for the ACL file. */
async function redisArgs(aclFile: string): Promise<string[]> {
  const text = await readFile(join(HERE, "redis.conf"), "utf8");
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return lines.flatMap((line) => {
    const [name = "", ...values] = line.split(" ");
    return [`--${name}`, ...(name === "aclfile" ? [aclFile] : values)];
  });
}

function urlFor(user: string, password = PASSWORD): string {
  return `redis://${user}:${password}@127.0.0.1:${server.port}`;
}

function connectAs(user: string, password?: string): Redis {
  const redis = new Redis(urlFor(user, password), { protocol: 2, retryStrategy: null, enableReadyCheck: false });
  // Errors are reported by the commands.
  return redis.on("error", () => {});
}

function connectForTest(user: string, password?: string): Redis {
  const redis = connectAs(user, password);
  onTestFinished(() => redis.disconnect());
  return redis;
}

async function permissionsOf(file: string): Promise<string[]> {
  const text = await readFile(join(HERE, file), "utf8");
  const line = text.split("\n").find((each) => each.startsWith("user server ")) ?? "";
  return [...line.matchAll(/ \+(\S+)/g)].map(([, permission = ""]) => permission).sort();
}

async function sourcesIn(path: string): Promise<string> {
  const names = await readdir(join(ROOT, path), { recursive: true });
  const sources = names.filter((name) => name.endsWith(".ts") && !/\.(test|contract)\.ts$/.test(name));
  const texts = await Promise.all(sources.map((name) => readFile(join(ROOT, path, name), "utf8")));
  return texts.join("\n");
}

/** Every Redis command in the sources of the servers, the trigger host and the functions. */
async function commandsInUse(): Promise<string[]> {
  const known = new Set((await operator.command("LIST")) as string[]);
  const texts = await Promise.all(["gears/src", "apps/server/src"].map(sourcesIn));
  const calls = texts.flatMap((text) => [
    ...text.matchAll(/\b(?:call|pcall|attempt)\(\s*(?:redis,\s*)?"([A-Z_]+)"(?:, "([A-Z]+)")?/g),
  ]);
  const methods = texts.flatMap((text) => [
    ...text.matchAll(/\b(?:redis|commands|blocking|subscriber|pipeline)\s*\.([a-z]+)\(/g),
  ]);
  const named = calls.map(([, command = "", sub = ""]) => {
    const name = command.toLowerCase();
    return ["cluster", "function", "xgroup", "xinfo"].includes(name) ? `${name}|${sub.toLowerCase()}` : name;
  });
  const called = methods.map(([, name = ""]) => name).filter((name) => known.has(name));
  // `config`: redis.conf already turns on notifications. `tfcall`, `tfunction`: users.redisgears.acl has them.
  // `exec`: a method of ioredis that sends a pipeline without a transaction.
  const notNeeded = ["config", "tfcall", "tfunction", "exec"];
  return [...named, ...called].filter((name) => !notNeeded.includes(name));
}

describe("the user of servers and trigger hosts", () => {
  it("has exactly the commands that the sources use", async () => {
    expect(await permissionsOf("users.acl")).toEqual(
      [...new Set([...(await commandsInUse()), ...IOREDIS_COMMANDS])].sort(),
    );
  });

  it.each([
    // Commands for the whole database.
    "FLUSHALL",
    "FLUSHDB",
    "SWAPDB 0 1",
    "KEYS *",
    "RANDOMKEY",
    "DBSIZE",
    "SELECT 1",
    // Administration.
    "CONFIG GET requirepass",
    "CONFIG SET maxmemory 1",
    "CONFIG SET dir /tmp",
    "CONFIG REWRITE",
    "MODULE LIST",
    "ACL LIST",
    "ACL SETUSER server +@all",
    "CLIENT LIST",
    "CLIENT KILL TYPE normal",
    "CLIENT PAUSE 1000",
    "MONITOR",
    "SLOWLOG GET",
    "LATENCY LATEST",
    "SHUTDOWN",
    "SAVE",
    "BGREWRITEAOF",
    "REPLICAOF localhost 1",
    "FAILOVER",
    "CLUSTER NODES",
    "CLUSTER RESET",
    // Scripts, and functions other than loading them.
    "EVAL return(1) 0",
    "EVAL_RO return(1) 0",
    "EVALSHA 0000000000000000000000000000000000000000 0",
    "SCRIPT LOAD return(1)",
    "SCRIPT FLUSH",
    "FUNCTION FLUSH",
    "FUNCTION DELETE presence",
    "FUNCTION DUMP",
    // Other keys, and unneeded commands on its own keys.
    "GET foreign",
    "MGET contact:anouk foreign",
    "EXISTS foreign",
    "SET foreign 1",
    "SET contacts 1",
    "DEL foreign",
    "HGET foreign field",
    "SMEMBERS foreign",
    "XADD heartbeats * server a",
    "XREAD STREAMS foreign 0",
    "RENAME heartbeat foreign",
    "COPY contact:anouk foreign",
    "DUMP contact:anouk",
    "RESTORE heartbeat 0 x",
    "MIGRATE localhost 1 heartbeat 0 1000",
    "OBJECT FREQ heartbeat",
    "SORT presence:guests STORE foreign",
    // Other channels.
    "SUBSCRIBE foreign",
    "PSUBSCRIBE *",
    "PUBLISH foreign hello",
  ])("cannot run %s", async (line) => {
    const [command = "", ...args] = line.split(" ");
    await expect(connectForTest("server").call(command, ...args)).rejects.toThrow(/^NOPERM/);
  });

  it("has no more permissions inside a function", async () => {
    const redis = connectForTest("server");
    const code = `#!lua name=intruder\nredis.register_function("presence_intrude", function() return redis.call("SET", "foreign", "1") end)`;
    await redis.call("FUNCTION", "LOAD", "REPLACE", code);
    onTestFinished(async () => void (await operator.call("FUNCTION", "DELETE", "intruder")));
    await expect(redis.call("FCALL", "presence_intrude", "0")).rejects.toThrow(/can't access|No permissions to access/);
  });

  it("has a password", async () => {
    await expect(connectForTest("server", "wrong").ping()).rejects.toThrow();
  });
});

describe("other users", () => {
  it("need authentication", async () => {
    const redis = new Redis(server.port, "127.0.0.1", { protocol: 2, retryStrategy: null });
    redis.on("error", () => {});
    onTestFinished(() => redis.disconnect());
    await expect(redis.set("anything", "1")).rejects.toThrow(/^NOAUTH/);
  });

  it("can only ping as the user health", async () => {
    const redis = connectForTest("health", "anything");
    expect(await redis.ping()).toBe("PONG");
    await expect(redis.get("heartbeat")).rejects.toThrow(/^NOPERM/);
  });
});

it("three servers and a trigger host work with these permissions", async () => {
  await operator.call("ACL", "LOG", "RESET");
  const host = await startHost({
    env: { REDIS_URL: urlFor("server"), HEARTBEAT_INTERVAL_MS: String(INTERVAL_MS), LOG_LEVEL: "silent" },
  });
  onTestFinished(() => host.close());
  const [first, second, third] = await Promise.all([startServer(1), startServer(2), startServer(3)]);

  const anouk = await first.openTerminalStream("anouk");
  await anouk.snapshot();
  const magali = await second.openTerminalStream("magali");
  await anouk.presence("magali", "ONLINE");
  const omar = await third.openTerminalStream("omar");
  await anouk.presence("omar", "ONLINE");
  await magali.presence("omar", "ONLINE");

  await vi.waitFor(async () => {
    const [, subscribers] = (await operator.call("PUBSUB", "NUMSUB", "__keyevent@0__:del")) as [string, number];
    expect(subscribers).toBeGreaterThan(0);
  });
  // OFFLINE is caused by the notification, because the lease is longer than this test.
  await operator.del("online.clients.omar");
  await anouk.presence("omar", "OFFLINE");
  await anouk.presence("omar", "ONLINE");
  await omar.close();
  await anouk.presence("omar", "OFFLINE");

  const guest = await third.openTerminalStream("a-guest");
  await guest.snapshot();
  await anouk.presence("a-guest", "ONLINE");
  const token = await second.signIn("ines");
  await second.openStream(token);
  await anouk.presence("ines", "ONLINE");
  expect(await second.signOut(token)).toBe(204);
  await anouk.presence("ines", "OFFLINE");

  for (const each of [first, second, third]) {
    expect(await (await each.request("/readyz")).json()).toEqual({ ready: true, warnings: [] });
  }
  const denied = (await operator.call("ACL", "LOG", "100")) as string[][];
  const objects = denied.map((entry) => entry[entry.indexOf("object") + 1]);
  // Denied, but not needed: the host reads settings, and ioredis reports its name (Redis 7.2 and later).
  expect(objects.filter((object) => !["config|get", "client|setinfo"].includes(object ?? ""))).toEqual([]);

  function startServer(number: number) {
    return startTestServer({
      env: {
        REDIS_URL: urlFor("server"),
        SERVER_ID: `server-${number}`,
        HEARTBEAT_INTERVAL_MS: String(INTERVAL_MS),
        TRIGGERS: "elsewhere",
      },
    });
  }
});

it.each(["users.acl", "users.redisgears.acl"])(
  "a Redis with %s keeps what functions wrote, after a restart",
  async (file) => {
    const aclFile = join(folder, `restart-${file}`);
    // Only what Redis without RedisGears knows: the line of the user `server` has commands of modules in the other file.
    const [defaultUser] = (await readFile(join(HERE, file), "utf8")).split("\n");
    await writeFile(aclFile, `${defaultUser}\n${OPERATOR}\n`);
    const restarted = await RedisServer.start({ args: await redisArgs(aclFile), isPersistent: true });
    onTestFinished(() => restarted.stop());
    const connect = async () => {
      const redis = new Redis(`redis://operator:any@127.0.0.1:${restarted.port}`, { protocol: 2 });
      onTestFinished(() => redis.disconnect());
      return redis;
    };
    const before = await connect();
    await before.config("SET", "appendfsync", "always");
    const code = `#!lua name=writes
    redis.register_function("write", function(keys, args)
      for index = 1, 10 do redis.call("HSET", "presence:records", args[1] .. index, "ONLINE") end
    end)`;
    await before.call("FUNCTION", "LOAD", code);
    for (const prefix of ["first", "second"]) await before.call("FCALL", "write", "0", prefix);
    expect(await before.hlen("presence:records")).toBe(20);
    before.disconnect();
    await restarted.restart();
    expect(await (await connect()).hlen("presence:records")).toBe(20);
    const stranger = new Redis(restarted.port, "127.0.0.1", { protocol: 2, retryStrategy: null });
    stranger.on("error", () => {});
    onTestFinished(() => stranger.disconnect());
    await expect(stranger.hlen("presence:records")).rejects.toThrow(/^NOAUTH/);
  },
);

it("users.redisgears.acl adds only the commands of RedisGears and RedisJSON", async () => {
  const basePermissions = await permissionsOf("users.acl");
  const more = (await permissionsOf("users.redisgears.acl")).filter(
    (permission) => !basePermissions.includes(permission),
  );
  expect(more.sort()).toEqual([...REDISGEARS_COMMANDS].sort());
});
