import { describe, expect, test } from "vitest";
import { describeRedisAddress, parseRedisAddress } from "../src/host/redis-address.ts";

describe("parseRedisAddress", () => {
  test.each(["redis://localhost", "redis://:secret@localhost:6380/2", "rediss://user:secret@redis.internal:6380"])(
    "parses %s as a single Redis",
    (url) => {
      expect(parseRedisAddress(url)).toEqual({ kind: "one", url });
      expect(describeRedisAddress(url)).not.toContain("secret");
    },
  );

  test("parses the URL of Sentinels", () => {
    const url = "redis+sentinel://server:p%40ss@one:26380,two.internal,[::1]:26381/main";
    expect(parseRedisAddress(url)).toEqual({
      kind: "sentinels",
      sentinels: [
        { host: "one", port: 26380 },
        { host: "two.internal", port: 26379 },
        { host: "::1", port: 26381 },
      ],
      name: "main",
      username: "server",
      password: "p@ss",
    });
    expect(describeRedisAddress(url)).toBe("main of one:26380, two.internal:26379, ::1:26381");
  });

  test("parses Sentinels without a password", () => {
    expect(parseRedisAddress("redis+sentinel://one/main")).toEqual({
      kind: "sentinels",
      sentinels: [{ host: "one", port: 26379 }],
      name: "main",
    });
  });

  test("parses several URLs as the nodes of a cluster", () => {
    const url = "redis://server:p%40ss@one:7000,redis://server:p%40ss@two.internal,redis://[::1]:7002";
    expect(parseRedisAddress(url)).toEqual({
      kind: "cluster",
      nodes: [
        { host: "one", port: 7000 },
        { host: "two.internal", port: 6379 },
        { host: "::1", port: 7002 },
      ],
      isSecure: false,
      username: "server",
      password: "p@ss",
    });
    expect(describeRedisAddress(url)).toBe("one:7000, two.internal:6379, ::1:7002");
  });

  test.each([
    "localhost:6379",
    "http://localhost",
    "redis://a,b",
    "redis://a,http://b",
    "redis://a,rediss://b",
    "redis://a,redis://b/1",
    "redis://a,",
    "redis+sentinel://one",
    "redis+sentinel://one/",
    "redis+sentinel:///main",
    "redis+sentinel://one,/main",
    "redis+sentinel://one:port/main",
    "redis+sentinel://one:99999/main",
    "redis+sentinel://o ne/main",
    "",
  ])("rejects %j", (text) => {
    expect(parseRedisAddress(text)).toBeUndefined();
  });
});
