import { describe, expect, it } from "vitest";
import { describeRedis } from "./welcome.mjs";

describe("the word on Redis", () => {
  it.each([
    ["redis://localhost:6379", "localhost:6379"],
    ["rediss://user:secret@redis.internal/2", "redis.internal"],
    ["redis+sentinel://user:secret@one:26379,two:26379/main", "one:26379,two:26379"],
    ["redis://user:secret@one:7000,redis://user:secret@two:7001/", "one:7000,two:7001"],
  ])("names the host of %s, and no password", (url, host) => {
    const words = describeRedis({ REDIS_URL: url });
    expect(words).toContain(`through Redis at ${host}; `);
    expect(words).not.toContain("secret");
  });

  it("is none where a server stands alone", () => {
    expect(describeRedis({})).toBe("");
  });
});
