import { it } from "vitest";
import { surviveOutage } from "../platform/outage.ts";

const PAUSE_MS = 10_000;

it("Redis lets all its clients wait for 10 s", (context) =>
  surviveOutage(context, {
    fault: "Redis is paused (CLIENT PAUSE) for 10 s",
    async begin({ commands }) {
      await commands.client("PAUSE", PAUSE_MS, "ALL");
    },
    durationMs: PAUSE_MS,
    isNoticed: true,
    end: () => Promise.resolve(),
  }));
