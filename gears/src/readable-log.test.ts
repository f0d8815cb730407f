import { RedisServer } from "@presence/testkit";
import { Redis } from "ioredis";
import { pino } from "pino";
import { expect, it, onTestFinished } from "vitest";
import { readableLog } from "./readable-log.ts";

const MAX_LINE_LENGTH = 8_000;

function logged(fields: object): string {
  const lines: string[] = [];
  const logger = pino({ ...readableLog }, { write: (line: string) => lines.push(line) });
  logger.warn(fields, "something happened");
  return lines.join("");
}

it("has the words of an error of Redis, and not the command that it answers", async () => {
  const server = await RedisServer.start();
  onTestFinished(() => server.stop());
  const redis = new Redis(server.url);
  onTestFinished(() => redis.disconnect());
  await redis.rpush("presence:demo-key", "x");
  const error = await redis.append("presence:demo-key", "a-secret-key").catch((thrown: unknown) => thrown);
  const line = logged({ err: error });
  expect(JSON.parse(line)).toMatchObject({ err: { type: "ReplyError", message: expect.stringMatching(/^WRONGTYPE/) } });
  expect(line).not.toContain("a-secret-key");
});

it.each([
  ["an error's words", { err: new Error("x".repeat(1_000_000)) }],
  ["an error's cause", { err: new Error("x", { cause: new Error("y".repeat(1_000_000)) }) }],
  ["what is thrown and no error", { err: "x".repeat(1_000_000) }],
  ["a path", { path: "/".repeat(1_000_000) }],
  ["a reason", { reason: "x".repeat(1_000_000) }],
  ["a key", { key: `contact:${"x".repeat(1_000_000)}` }],
])("keeps a line short, however long %s", (_what, fields) => {
  expect(logged(fields).length).toBeLessThan(MAX_LINE_LENGTH);
});

it("shows what a terminal would obey", () => {
  const line = logged({ path: "/\u001b[2J\u009b2J\u007f\u2028\u202e", err: new Error("\u009b2J") });
  expect(line.trimEnd()).toMatch(/^[ -~]*$/);
  expect(JSON.parse(line).path).toBe("/\\u{1b}[2J\\u{9b}2J\\u{7f}\\u{2028}\\u{202e}");
});

it("says where an error comes from, and what its cause was", () => {
  const error = Object.assign(new TypeError("not so", { cause: new Error("but so") }), { code: "ENOT" });
  expect(JSON.parse(logged({ err: error }))).toMatchObject({
    err: {
      type: "TypeError",
      message: "not so",
      code: "ENOT",
      cause: "but so",
      stack: expect.stringContaining("test.ts"),
    },
  });
});
