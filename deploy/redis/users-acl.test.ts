import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RedisServer } from "@presence/testkit";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { startTestServer } from "../../apps/server/test/start-test-server.ts";
import { main as startHost } from "../../gears/src/main.ts";

const HERE = import.meta.dirname;
const ROOT = join(HERE, "../..");
const PASSWORD = "presence";
/** For the test alone: to look behind the scenes, and to do by hand what a person would. */
const OPERATOR = "user operator on nopass ~* &* +@all";
/** What the library for Redis says for itself, on each connection. */
const OF_CONNECTIONS = ["ping", "info", "client|setname"];
const OF_REDISGEARS = ["tfcall", "tfunction", "json.get", "json.mget", "json.set"];
const INTERVAL_MS = 1_000;

let folder: string;
let server: RedisServer;
let operator: Redis;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "presence-acl-"));
  const aclFile = join(folder, "users.acl");
  await writeFile(aclFile, `${await readFile(join(HERE, "users.acl"), "utf8")}${OPERATOR}\n`);
  server = await RedisServer.start({ args: await settingsFor(aclFile), isPersistent: true });
  operator = connectAs("operator");
});

afterAll(async () => {
  operator.disconnect();
  await server.stop();
  await rm(folder, { recursive: true });
});

/** `redis.conf` as arguments, with another place for the users. */
async function settingsFor(aclFile: string): Promise<string[]> {
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
  // Whoever gives a command hears of it there.
  return redis.on("error", () => {});
}

function connectForTest(user: string, password?: string): Redis {
  const redis = connectAs(user, password);
  onTestFinished(() => redis.disconnect());
  return redis;
}

async function rightsOf(file: string): Promise<string[]> {
  const text = await readFile(join(HERE, file), "utf8");
  const line = text.split("\n").find((each) => each.startsWith("user server ")) ?? "";
  return [...line.matchAll(/ \+(\S+)/g)].map(([, right = ""]) => right).sort();
}

async function sourcesIn(path: string): Promise<string> {
  const names = await readdir(join(ROOT, path), { recursive: true });
  const sources = names.filter((name) => name.endsWith(".ts") && !/\.(test|contract)\.ts$/.test(name));
  const texts = await Promise.all(sources.map((name) => readFile(join(ROOT, path, name), "utf8")));
  return texts.join("\n");
}

/** Every command that servers, hosts and the library give, as their sources say. */
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
  // Notifications are turned on by redis.conf, so nobody needs to; the other library has its own file; and `exec` sends a
  // pipeline, which is no transaction.
  const elsewhere = ["config", "tfcall", "tfunction", "exec"];
  return [...named, ...called].filter((name) => !elsewhere.includes(name));
}

describe("the user of servers and hosts", () => {
  it("may do all that their sources do, and nothing more", async () => {
    expect(await rightsOf("users.acl")).toEqual([...new Set([...(await commandsInUse()), ...OF_CONNECTIONS])].sort());
  });

  it.each([
    // Everything at once.
    "FLUSHALL",
    "FLUSHDB",
    "SWAPDB 0 1",
    "KEYS *",
    "RANDOMKEY",
    "DBSIZE",
    "SELECT 1",
    // How Redis runs, and who else is there.
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
    // Code, beside the functions that it loads.
    "EVAL return(1) 0",
    "EVAL_RO return(1) 0",
    "EVALSHA 0000000000000000000000000000000000000000 0",
    "SCRIPT LOAD return(1)",
    "SCRIPT FLUSH",
    "FUNCTION FLUSH",
    "FUNCTION DELETE presence",
    "FUNCTION DUMP",
    // Keys of others, and its own by ways that it has no use for.
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
    // What others say.
    "SUBSCRIBE foreign",
    "PSUBSCRIBE *",
    "PUBLISH foreign hello",
  ])("may not %s", async (line) => {
    const [command = "", ...args] = line.split(" ");
    await expect(connectForTest("server").call(command, ...args)).rejects.toThrow(/^NOPERM/);
  });

  it("may not do from inside a function what it may not do itself", async () => {
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

describe("everyone else", () => {
  it("may do nothing without a name", async () => {
    const redis = new Redis(server.port, "127.0.0.1", { protocol: 2, retryStrategy: null });
    redis.on("error", () => {});
    onTestFinished(() => redis.disconnect());
    await expect(redis.set("anything", "1")).rejects.toThrow(/^NOAUTH/);
  });

  it("may ask after Redis's health, and that is all", async () => {
    const redis = connectForTest("health", "anything");
    expect(await redis.ping()).toBe("PONG");
    await expect(redis.get("heartbeat")).rejects.toThrow(/^NOPERM/);
  });
});

it("lets three servers and a trigger host do all they do", async () => {
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

  // A notification tells of it, as the lease would last for longer than this test.
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
  const refused = (await operator.call("ACL", "LOG", "100")) as string[][];
  const objects = refused.map((entry) => entry[entry.indexOf("object") + 1]);
  // They ask for more than they need: the host for settings, and its library, from 7.2 on, for its own name to be known.
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

it("gives the user on a Redis with RedisGears no more than that, and RedisGears's and RedisJSON's commands", async () => {
  const ofFunctions = await rightsOf("users.acl");
  const more = (await rightsOf("users.redisgears.acl")).filter((right) => !ofFunctions.includes(right));
  expect(more.sort()).toEqual([...OF_REDISGEARS].sort());
});
