import { expect, it } from "vitest";
import { describeRedis } from "./welcome.mjs";

it.each([
  ["redis://localhost:6379", "localhost:6379"],
  ["rediss://user:secret@redis.internal/2", "redis.internal"],
  ["redis+sentinel://user:secret@one:26379,two:26379/main", "one:26379,two:26379"],
  ["redis://user:secret@one:7000,redis://user:secret@two:7001/", "one:7000,two:7001"],
])("shows the host of %s without the password", (url, host) => {
  const line = describeRedis({ REDIS_URL: url });
  expect(line).toContain(`through Redis at ${host}; `);
  expect(line).not.toContain("secret");
});

it("says nothing about Redis in standalone mode", () => {
  expect(describeRedis({})).toBe("");
});
