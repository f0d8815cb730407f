import { setTimeout as delay } from "node:timers/promises";
import { RedisServer } from "@presence/testkit";
import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { RedisGearsHarness } from "./redisgears-harness.ts";

let server: RedisServer;
let redis: Redis;

beforeAll(async () => {
  server = await RedisServer.start({ args: ["--enable-debug-command", "local"] });
  redis = new Redis(server.url);
});

beforeEach(async () => {
  await redis.flushall();
  await redis.config("SET", "notify-keyspace-events", "");
});

afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

async function load(body: string, config?: string, firstLine = "#!js api_version=1.0 name=lib") {
  const harness = await RedisGearsHarness.load({
    url: server.url,
    code: `${firstLine}\n${body}`,
    ...(config !== undefined && { config }),
  });
  onTestFinished(() => harness.close());
  return harness;
}

/** Loads a library with one function and calls it. */
async function run(body: string, ...args: string[]): Promise<unknown> {
  const harness = await load(`redis.registerFunction("run", (client, ...args) => { ${body} });`);
  return await harness.call("run", args);
}

describe("loading", () => {
  test("rejects a library without a valid first line", async () => {
    expect((await load('redis.registerFunction("f", () => "");')).registrations.name).toBe("lib");
    for (const line of [
      "",
      "#!js name=lib",
      "#!js api_version=2.0 name=lib",
      "#!js api_version=1.0",
      "#!js api_version=1.0 name=my-lib",
      "#!lua name=lib",
    ]) {
      await expect(load('redis.registerFunction("f", () => "");', undefined, line)).rejects.toThrow(/prologue/);
    }
  });

  test("rejects missing, invalid, duplicate and late registrations", async () => {
    await expect(load("")).rejects.toThrow(/registrations/);
    for (const name of ["my-function", "", "ä", "a.b", "a b"]) {
      await expect(load(`redis.registerFunction("${name}", () => "");`)).rejects.toMatch(/Illegal name/);
      await expect(load(`redis.registerStreamTrigger("${name}", "x", () => {});`)).rejects.toMatch(/Illegal name/);
      await expect(load(`redis.registerKeySpaceTrigger("${name}", "x", () => {});`)).rejects.toMatch(/Illegal name/);
    }
    await expect(load('for (const _ of "ab") redis.registerFunction("f", () => "");')).rejects.toMatch(/exists/);
    await expect(load('redis.registerFunction("f", "no function");')).rejects.toMatch(/function/);
    await expect(run('redis.registerFunction("g", () => "")')).rejects.toMatch(/loading/);
  });

  test("rejects a library that throws while it loads", async () => {
    await expect(load('redis.registerFunction("f", () => ""); throw new Error("no");')).rejects.toThrow("no");
  });

  test("provides only the allowed JavaScript globals", async () => {
    for (const name of [
      ...["setTimeout", "setInterval", "setImmediate", "queueMicrotask", "URL", "TextEncoder", "TextDecoder"],
      ...["crypto", "console", "process", "require", "module", "exports", "fetch", "structuredClone", "performance"],
      ...["eval", "Promise", "SharedArrayBuffer", "Atomics", "WebAssembly", "Buffer", "global", "AbortController"],
    ]) {
      expect(await run(`return typeof ${name}`), name).toBe("undefined");
      await expect(load(`${name}(); redis.registerFunction("f", () => "");`), name).rejects.toThrow();
    }
    for (const name of ["Map", "Set", "BigInt", "JSON", "Math", "Date", "RegExp", "Array"]) {
      expect(await run(`return typeof ${name}`), name).toMatch(/function|object/);
    }
    await expect(run('return Function("return 1")()')).rejects.toThrow(/Code generation/);
  });

  test("parses the configuration", async () => {
    const body = 'redis.registerFunction("f", () => typeof redis.config + " " + redis.config?.size);';
    expect(await (await load(body)).call("f", [])).toBe("undefined undefined");
    expect(await (await load(body, '{"size":7}')).call("f", [])).toBe("object 7");
    await expect(load(body, "{")).rejects.toThrow();
  });

  test("logs strings only", async () => {
    const harness = await load('redis.log("loading"); redis.registerFunction("f", () => redis.log(5));');
    expect(harness.registrations.log).toEqual(["loading"]);
    await expect(harness.call("f", [])).rejects.toMatch(/argument type/);
  });
});

describe("a call of the library", () => {
  test("is complete when it returns", async () => {
    expect(await run('client.call("SET", "key", args[0]); return client.call("GET", "key");', "value")).toBe("value");
    expect(await redis.get("key")).toBe("value");
  });

  test("accepts only strings", async () => {
    for (const value of ["5", "5n", "null", "undefined", "true", '["a"]', "{}"]) {
      await expect(run(`client.call("SET", "key", ${value})`), value).rejects.toMatch(/convert/);
    }
    expect(await redis.exists("key")).toBe(0);
  });

  test("converts replies as RedisGears does", async () => {
    await redis.hset("hash", "a", "1", "b", "2");
    await redis.sadd("set", "a", "b");
    await redis.zadd("zset", 1.5, "a");
    await redis.set("binary", Buffer.from([0xff, 0xfe]));
    const show = (call: string) =>
      run(`const reply = ${call};
        return [typeof reply, Object.prototype.toString.call(reply), reply instanceof Set, Array.isArray(reply)].join()`);
    expect(await show('client.call("INCR", "n")')).toBe("bigint,[object BigInt],false,false");
    expect(await show('client.call("GET", "n")')).toBe("string,[object String],false,false");
    expect(await show('client.call("SET", "n", "1")')).toBe("string,[object String],false,false");
    expect(await show('client.call("GET", "none")')).toBe("object,[object Null],false,false");
    expect(await show('client.call("HGETALL", "hash")')).toBe("object,[object Object],false,false");
    expect(await show('client.call("SMEMBERS", "set")')).toBe("object,[object Set],true,false");
    expect(await show('client.call("ZSCORE", "zset", "a")')).toBe("number,[object Number],false,false");
    expect(await show('client.call("HMGET", "hash", "a", "none")')).toBe("object,[object Array],false,true");
    expect(await run('return client.call("HGETALL", "hash").b')).toBe("2");
    expect(await run('return client.call("HMGET", "hash", "a", "none")')).toEqual(["1", null]);
    expect(await run('return String(client.call("ZSCORE", "zset", "a"))')).toBe("1.5");
    await expect(run('client.call("GET", "binary")')).rejects.toMatch(/decode/);
  });

  test("throws an error reply as a string, which the callback can catch", async () => {
    await redis.rpush("list", "a");
    expect(await run('try { client.call("GET", "list") } catch (e) { return typeof e + " " + e }')).toMatch(
      /^string WRONGTYPE/,
    );
    expect(await run('try { client.call("NONE") } catch (e) { return e }')).toMatch(/^ERR unknown command/);
    expect(await run('try { client.call("GET") } catch (e) { return client.call("PING") }')).toBe("PONG");
  });

  test("rejects scripts and functions", async () => {
    for (const command of ["EVAL", "evalsha", "FCALL", "FUNCTION", "SCRIPT", "TFCALL"]) {
      await expect(run(`client.call("${command}", "x", "0")`), command).rejects.toMatch(/not allowed/);
    }
  });

  test("fails after the callback has returned", async () => {
    const harness = await load(`let kept;
      redis.registerFunction("keep", (client) => { kept = client; });
      redis.registerFunction("use", () => kept.call("PING"));`);
    await harness.call("keep", []);
    await expect(harness.call("use", [])).rejects.toMatch(/invalid/);
  });

  test("runs 2,000 times in one callback", async () => {
    await run('for (let i = 0; i < 2000; i += 1) client.call("INCR", "n")');
    expect(await redis.get("n")).toBe("2000");
  });
});

test("calling an unknown function fails", async () => {
  const harness = await load('redis.registerFunction("f", () => "");');
  await expect(harness.call("g", [])).rejects.toThrow(/Unknown function/);
});

test("the return value of a function is converted to a Redis reply", async () => {
  expect(await run("return [5n, 'a', undefined, [null, 1]]")).toEqual([5, "a", null, [null, 1]]);
  expect(await run("")).toBeNull();
});

describe("a stream trigger", () => {
  const COLLECT = `const seen = [];
    redis.registerStreamTrigger("stream", "events", (client, data) => {
      seen.push(JSON.stringify([data.stream_name, ...data.id.map((part) => typeof part + part), ...data.record]));
      if (data.record[0][0] === "bad") throw new Error("bad entry");
    }, { isStreamTrimmed: TRIMMED });
    redis.registerFunction("seen", () => seen.splice(0));`;

  test("receives existing and new entries in order, with their fields", async () => {
    await redis.xadd("events", "7-1", "a", "1", "b", "2", "a", "1");
    const harness = await load(COLLECT.replace("TRIMMED", "false"));
    await redis.xadd("events", "7-2", "c", "3");
    await redis.xadd("events:more", "8-0", "d", "4");
    await redis.xadd("others", "9-0", "e", "5");
    expect(await harness.call("seen", [])).toEqual([
      '["events","bigint7","bigint1",["a","1"],["b","2"],["a","1"]]',
      '["events","bigint7","bigint2",["c","3"]]',
      '["events:more","bigint8","bigint0",["d","4"]]',
    ]);
    expect(await redis.xlen("events")).toBe(2);
  });

  test("receives null for bytes that are not UTF-8", async () => {
    const harness = await load(COLLECT.replace("TRIMMED", "false"));
    await redis.xadd("events", "7-1", "a", Buffer.from([0xff]), "b", "2");
    expect(await harness.call("seen", [])).toEqual(['["events","bigint7","bigint1",["a",null],["b","2"]]']);
  });

  test("continues after an error, and trims", async () => {
    const harness = await load(COLLECT.replace("TRIMMED", "true"));
    await redis.xadd("events", "7-1", "bad", "1");
    await redis.xadd("events", "7-2", "good", "1");
    await harness.settle();
    expect(await harness.call("seen", [])).toHaveLength(2);
    expect(harness.errors).toHaveLength(1);
    expect(await redis.xlen("events")).toBe(0);
    await redis.xadd("events", "7-3", "good", "1");
    expect(await harness.call("seen", [])).toHaveLength(1);
  });

  test("runs without a call", async () => {
    await load('redis.registerStreamTrigger("s", "events", (client) => { client.call("SET", "fired", "yes"); });');
    await redis.xadd("events", "*", "a", "1");
    await expect.poll(() => redis.get("fired")).toBe("yes");
  });
});

describe("a keyspace trigger", () => {
  const COLLECT = `const seen = [];
    redis.registerKeySpaceTrigger("keys", "watched:", (client, { event, key }) => {
      seen.push(event + " " + key);
      if (client.call("TYPE", "provoke") !== "none") client.call("SET", "watched:own", "1", "PX", "1");
    });
    redis.registerFunction("write", (client) => {
      client.call("SET", "watched:a", "1", "PX", "50000");
      client.call("DEL", "watched:a");
      client.call("SET", "watched:b", "1");
      client.call("PEXPIRE", "watched:b", "0");
    });
    redis.registerFunction("touch", (client, key) => client.call("GET", key));
    redis.registerFunction("seen", () => seen.splice(0));`;

  test("receives events of keys with its prefix, except new-key events", async () => {
    await redis.config("SET", "notify-keyspace-events", "Enm");
    const harness = await load(COLLECT);
    await redis.set("watched:a", "1", "PX", 100_000);
    await redis.set("watched:a", "2");
    await redis.pexpire("watched:a", 100_000);
    await redis.del("watched:a");
    await redis.set("watched:b", "1", "PX", 100_000);
    await redis.pexpire("watched:b", -1);
    await redis.get("watched:none");
    await redis.set("others:a", "1");
    expect(await harness.call("seen", [])).toEqual([
      ...["set watched:a", "expire watched:a", "set watched:a", "expire watched:a", "del watched:a"],
      ...["set watched:b", "expire watched:b", "del watched:b"],
    ]);
  });

  test("treats its prefix literally, and receives null for a key that is not UTF-8", async () => {
    const harness = await load(`const seen = [];
      redis.registerKeySpaceTrigger("keys", "a*[b]?", (client, { key }) => { seen.push(String(key)); });
      redis.registerFunction("seen", () => seen.splice(0));`);
    await redis.set("a*[b]?c", "1");
    await redis.set("axxbxc", "1");
    await redis.set(Buffer.concat([Buffer.from("a*[b]?"), Buffer.from([0xff])]), "1");
    expect(await harness.call("seen", [])).toEqual(["a*[b]?c", "null"]);
  });

  test("receives an expired event", async () => {
    const harness = await load(COLLECT);
    await redis.set("watched:a", "1", "PX", 1);
    await expect.poll(() => redis.exists("watched:a")).toBe(0);
    expect(await harness.call("seen", [])).toEqual(["set watched:a", "expire watched:a", "expired watched:a"]);
  });

  test("receives no events of the library's own writes, nor of a key that its own call expires", async () => {
    const harness = await load(COLLECT);
    await harness.call("write", []);
    expect(await harness.call("seen", [])).toEqual([]);
    await redis.debug("SET-ACTIVE-EXPIRE", "0");
    onTestFinished(async () => {
      await redis.debug("SET-ACTIVE-EXPIRE", "1");
    });
    await redis.set("watched:c", "1", "PX", 1);
    await redis.set("watched:d", "1", "PX", 1);
    // Expired keys that no command has read still count as keys.
    await delay(20);
    expect(await redis.dbsize()).toBe(2);
    expect(await harness.call("touch", ["watched:c"])).toBeNull();
    expect(await redis.get("watched:d")).toBeNull();
    expect(await harness.call("seen", [])).toEqual([
      ...["set watched:c", "expire watched:c", "set watched:d", "expire watched:d"],
      "expired watched:d",
    ]);
  });

  test("receives no events of its own writes while other clients write", async () => {
    const harness = await load(COLLECT);
    await redis.set("provoke", "1");
    const writes = Array.from({ length: 200 }, (_, index) => redis.set(`watched:${index}`, "1"));
    const own = Array.from({ length: 50 }, () => harness.call("write", []));
    await Promise.all([...writes, ...own]);
    const seen = (await harness.call("seen", [])) as string[];
    expect(seen.filter((each) => !each.endsWith(":own"))).toEqual(writes.map((_, index) => `set watched:${index}`));
    // Redis itself may expire the key between two calls. That is not a write of the library.
    expect(seen.filter((each) => each.endsWith(":own") && !each.startsWith("expired"))).toEqual([]);
  });

  test("continues after an error", async () => {
    const harness = await load(`redis.registerKeySpaceTrigger("keys", "watched:", (client, { event }) => {
        client.call("INCR", "count");
        throw event;
      });`);
    await redis.set("watched:a", "1");
    await redis.del("watched:a");
    await harness.settle();
    expect(harness.errors).toEqual(["set", "del"]);
    expect(await redis.get("count")).toBe("2");
  });
});

test("calls fail after Redis has ended", async () => {
  const own = await RedisServer.start();
  onTestFinished(() => own.stop());
  const harness = await RedisGearsHarness.load({
    url: own.url,
    code: '#!js api_version=1.0 name=lib\nredis.registerFunction("f", (client) => client.call("PING"));',
  });
  expect(await harness.call("f", [])).toBe("PONG");
  await own.kill();
  await expect(harness.call("f", [])).rejects.toThrow(/closed|ended|ECONN/);
  await harness.close();
});

test("close leaves no connection open", async () => {
  const harness = await RedisGearsHarness.load({
    url: server.url,
    code: '#!js api_version=1.0 name=lib\nredis.registerFunction("f", () => "");',
  });
  await harness.close();
  await expect
    .poll(
      async () =>
        String(await redis.client("LIST"))
          .trim()
          .split("\n").length,
    )
    .toBe(1);
});
