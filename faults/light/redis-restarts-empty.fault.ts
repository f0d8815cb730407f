import { it } from "vitest";
import { surviveOutage } from "../platform/outage.ts";

it("Redis restarts with nothing in it", (context) =>
  surviveOutage(context, {
    fault: "Redis restarts empty",
    begin: ({ redis }) => redis.restartEmpty(),
    durationMs: 0,
    isNoticed: false,
    end: () => Promise.resolve(),
  }));
