import { it } from "vitest";
import { surviveOutage } from "../platform/outage.ts";

it("Redis is gone for 30 s", (context) =>
  surviveOutage(context, {
    fault: "Redis is gone for 30 s",
    redis: { isPersistent: true },
    begin: ({ redis }) => redis.kill(),
    durationMs: 30_000,
    isNoticed: true,
    end: ({ redis }) => redis.restart(),
  }));
