import { RedisServer } from "@presence/testkit";
import fc from "fast-check";
import type { Redis } from "ioredis";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Database } from "./database.ts";
import { type Reply, ReplyError, Status } from "./reply.ts";

type CommandLine = readonly [string, ...string[]];

const SEQUENCES = 300;
const COMMANDS_PER_SEQUENCE = 60;
const FAR_FUTURE = "9999999999999";

const key = fc.constantFrom("a", "b", "c");
const member = fc.constantFrom("x", "y", "z", "10", "9");
const members = fc.array(member, { minLength: 1, maxLength: 3 });
const score = fc.oneof(fc.integer({ min: -3, max: 3 }).map(String), fc.constantFrom("1700000000000", "1.5", "no"));
const bound = fc.oneof(score, fc.constantFrom("-inf", "+inf", "(1", "(0"));
const integer = fc.oneof(fc.integer({ min: -2, max: 5 }).map(String), fc.constantFrom("1.5", "", "09"));
const value = fc.constantFrom("", "0", "7", "text");
const streamId = fc.oneof(
  fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 2 })).map(([ms, sequence]) => `${ms}-${sequence}`),
  fc.integer({ min: 0, max: 4 }).map((ms) => `${ms}-*`),
  fc.constantFrom("3", "wrong", "-"),
);
const pairsOf = (first: fc.Arbitrary<string>, second: fc.Arbitrary<string>) =>
  fc.array(fc.tuple(first, second), { minLength: 1, maxLength: 3 }).map((pairs) => pairs.flat());

/** A command line out of parts that are strings, or lists of strings. */
function line(name: string, ...parts: (string | fc.Arbitrary<string> | fc.Arbitrary<string[]>)[]) {
  const arbitraries = parts.map((part) => (typeof part === "string" ? fc.constant(part) : part));
  return fc.tuple(...arbitraries).map((args): CommandLine => [name, ...args.flat()]);
}

const commandLine: fc.Arbitrary<CommandLine> = fc.oneof(
  line("GET", key),
  line("MGET", key, key),
  line("SET", key, value),
  line("SET", key, value, "PXAT", fc.constantFrom(FAR_FUTURE, "0", "-5", "x")),
  line("SET", key, value, "NX"),
  line("SET", key, value, "WRONG"),
  line("DEL", key, key),
  line("EXISTS", key, key),
  line("TYPE", key),
  line("PEXPIREAT", key, fc.constantFrom(FAR_FUTURE, "1", "x")),
  line("PEXPIRETIME", key),
  line("HGET", key, member),
  line("HMGET", key, members),
  line("HSET", key, pairsOf(member, value)),
  line("HSET", key, member),
  line("HSETNX", key, member, value),
  line("HINCRBY", key, member, integer),
  line("HDEL", key, members),
  line("HEXISTS", key, member),
  line("HKEYS", key),
  line("HLEN", key),
  line("HGETALL", key),
  line("SADD", key, members),
  line("SREM", key, members),
  line("SMEMBERS", key),
  line("SCARD", key),
  line("SISMEMBER", key, member),
  line("SMISMEMBER", key, members),
  line("SPOP", key, fc.constantFrom("0", "9", "-1")),
  line("ZADD", key, pairsOf(score, member)),
  line("ZADD", key, fc.constantFrom("NX", "GT"), pairsOf(score, member)),
  line("ZADD", key, "NX", "GT", score, member),
  line("ZREM", key, members),
  line("ZCARD", key),
  line("ZSCORE", key, member),
  line("ZMSCORE", key, members),
  line("ZRANGE", key, integer, integer),
  line("ZRANGEBYSCORE", key, bound, bound),
  line("ZRANGEBYSCORE", key, bound, bound, "LIMIT", integer, integer),
  line("XADD", key, streamId, pairsOf(member, value)),
  line(
    "XADD",
    key,
    "MAXLEN",
    fc.constantFrom("~", "="),
    fc.constantFrom("0", "1", "3"),
    streamId,
    pairsOf(member, value),
  ),
  line("XLEN", key),
  line("XRANGE", key, fc.constantFrom("-", "2"), fc.constantFrom("+", "3")),
  line("XRANGE", key, "-", "+", "COUNT", fc.constantFrom("1", "2")),
  line("XREVRANGE", key, "+", "-", "COUNT", fc.constantFrom("1", "2")),
  line("XTRIM", key, fc.constantFrom("MINID", "MAXLEN"), fc.constantFrom("~", "="), fc.constantFrom("0", "1", "3")),
  line("XGROUP", "CREATE", key, "g", fc.constantFrom("0", "$", "2"), "MKSTREAM"),
  line("XGROUP", "CREATE", key, "g", "0"),
  line("XREADGROUP", "GROUP", "g", "me", "COUNT", fc.constantFrom("1", "2"), "STREAMS", key, ">"),
  line("XACK", key, "g", streamId),
  line("XAUTOCLAIM", key, "g", "you", "0", "0-0", "COUNT", fc.constantFrom("1", "5")),
  line("GET"),
  line("NOSUCH", key),
);

let server: RedisServer;
let redis: Redis;

beforeAll(async () => {
  server = await RedisServer.start();
  redis = server.connect();
  await redis.connect();
  // Nodes are filled by entries alone, as in the in-memory Redis.
  await redis.config("SET", "stream-node-max-bytes", "0");
});

afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

test("replies and keeps what a real Redis does, for random sequences of commands", { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(commandLine, { minLength: 1, maxLength: COMMANDS_PER_SEQUENCE }),
      async (commandLines) => {
        await redis.flushall();
        const database = new Database({ nowUs: () => Date.now() * 1000 });
        const realReplies = await runOnRedis(commandLines);
        commandLines.forEach((each, index) => {
          expect({ each, reply: runInMemory(database, each) }).toEqual({ each, reply: realReplies[index] });
        });
        expect(inMemoryContents(database)).toEqual(await realContents());
      },
    ),
    { numRuns: SEQUENCES },
  );
});

test("trims streams approximately by whole nodes, as Redis does", async () => {
  await redis.flushall();
  const database = new Database({ nowUs: () => Date.now() * 1000 });
  for (let index = 1; index <= 350; index += 1) {
    const add: CommandLine = ["XADD", "s", "MAXLEN", "~", "120", `${index}-0`, "f", "v"];
    expect(runInMemory(database, add)).toEqual((await runOnRedis([add]))[0]);
    const length: CommandLine = ["XLEN", "s"];
    expect(runInMemory(database, length)).toEqual((await runOnRedis([length]))[0]);
  }
});

async function runOnRedis(commandLines: readonly CommandLine[]): Promise<unknown[]> {
  const pipeline = redis.pipeline();
  for (const [name, ...args] of commandLines) pipeline.call(name, ...args);
  const replies = (await pipeline.exec()) ?? [];
  return replies.map(([error, reply], index) => comparable(commandLines[index]?.[0] ?? "", error ?? reply));
}

function runInMemory(database: Database, [name, ...args]: CommandLine): unknown {
  try {
    return comparable(name, plain(database.run(name, args)));
  } catch (error) {
    if (!(error instanceof ReplyError)) throw error;
    return comparable(name, error);
  }
}

function plain(reply: Reply): unknown {
  if (reply instanceof Status) return reply.text;
  return Array.isArray(reply) ? reply.map(plain) : reply;
}

/** Commands whose replies Redis gives in no order. */
const UNORDERED = ["SMEMBERS", "SPOP", "HKEYS"];

function comparable(name: string, reply: unknown): unknown {
  if (reply instanceof Error) return `error: ${reply.message.split(",")[0]}`;
  if (!Array.isArray(reply)) return reply;
  if (UNORDERED.includes(name)) return [...reply].sort();
  return name === "HGETALL" ? Object.fromEntries(pairs(reply)) : reply;
}

function pairs(list: readonly unknown[]): [string, unknown][] {
  return Array.from({ length: list.length / 2 }, (_, index) => [String(list[2 * index]), list[2 * index + 1]]);
}

const READERS: Record<string, (name: string) => CommandLine> = {
  string: (name) => ["GET", name],
  hash: (name) => ["HGETALL", name],
  set: (name) => ["SMEMBERS", name],
  zset: (name) => ["ZRANGEBYSCORE", name, "-inf", "+inf"],
  stream: (name) => ["XRANGE", name, "-", "+"],
};

function inMemoryContents(database: Database): unknown[] {
  return contentsBy((each) => runInMemory(database, each));
}

async function realContents(): Promise<unknown[]> {
  return await Promise.all(contentsBy(async (each) => (await runOnRedis([each]))[0])).then((all) => all);
}

function contentsBy<Result>(run: (line: CommandLine) => Result): Result[] {
  return ["a", "b", "c"].flatMap((name) => [
    run(["TYPE", name]),
    run(["PEXPIRETIME", name]),
    ...Object.values(READERS).map((read) => run(read(name))),
  ]);
}
