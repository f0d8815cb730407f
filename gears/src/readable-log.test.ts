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

it("logs the message of a Redis error without its command", async () => {
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
  ["an error's message", { err: new Error("x".repeat(1_000_000)) }],
  ["an error's cause", { err: new Error("x", { cause: new Error("y".repeat(1_000_000)) }) }],
  ["a thrown string", { err: "x".repeat(1_000_000) }],
  ["a path", { path: "/".repeat(1_000_000) }],
  ["a reason", { reason: "x".repeat(1_000_000) }],
  ["a key", { key: `contact:${"x".repeat(1_000_000)}` }],
])("limits the length of a line with a long value: %s", (_name, fields) => {
  expect(logged(fields).length).toBeLessThan(MAX_LINE_LENGTH);
});

it("escapes control characters", () => {
  const line = logged({ path: "/\u001b[2J\u009b2J\u007f\u2028\u202e", err: new Error("\u009b2J") });
  expect(line.trimEnd()).toMatch(/^[ -~]*$/);
  expect(JSON.parse(line).path).toBe("/\\u{1b}[2J\\u{9b}2J\\u{7f}\\u{2028}\\u{202e}");
});

it("logs an error's code, cause and stack", () => {
  const error = Object.assign(new TypeError("outer", { cause: new Error("inner") }), { code: "ENOT" });
  expect(JSON.parse(logged({ err: error }))).toMatchObject({
    err: {
      type: "TypeError",
      message: "outer",
      code: "ENOT",
      cause: "inner",
      stack: expect.stringContaining("test.ts"),
    },
  });
});
