import { it } from "vitest";
import { type Outage, surviveOutage } from "../platform/outage.ts";

const PAUSE_MS = 10_000;

const OUTAGES: readonly Outage[] = [
  {
    fault: "Redis is down for 30 s",
    redis: { isPersistent: true },
    begin: ({ redis }) => redis.kill(),
    durationMs: 30_000,
    isNoticed: true,
    end: ({ redis }) => redis.restart(),
  },
  {
    fault: "Redis is paused (CLIENT PAUSE) for 10 s",
    begin: ({ commands }) => commands.client("PAUSE", PAUSE_MS, "ALL"),
    durationMs: PAUSE_MS,
    isNoticed: true,
    end: async () => {},
  },
  {
    fault: "Redis is suspended (SIGSTOP) for 10 s",
    begin: async ({ redis }) => redis.pause(),
    durationMs: PAUSE_MS,
    isNoticed: true,
    end: async ({ redis }) => redis.resume(),
  },
  {
    fault: "Redis is suspended (SIGSTOP) for 20 s",
    heartbeatIntervalMs: 5_000,
    begin: async ({ redis }) => redis.pause(),
    durationMs: 20_000,
    isNoticed: true,
    end: async ({ redis }) => redis.resume(),
  },
  {
    fault: "Redis restarts without data",
    begin: ({ redis }) => redis.restartEmpty(),
    durationMs: 0,
    isNoticed: false,
    end: async () => {},
  },
];

it.for(OUTAGES)("sends no false OFFLINE when $fault", (outage, context) => surviveOutage(context, outage));
