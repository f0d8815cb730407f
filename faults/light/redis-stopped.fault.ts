import { it } from "vitest";
import { surviveOutage } from "../platform/outage.ts";

it("Redis is stopped in its tracks for 10 s", (context) =>
  surviveOutage(context, {
    fault: "Redis is paused (SIGSTOP) for 10 s",
    begin: ({ redis }) => Promise.resolve(redis.pause()),
    durationMs: 10_000,
    isNoticed: true,
    end: ({ redis }) => Promise.resolve(redis.resume()),
  }));
