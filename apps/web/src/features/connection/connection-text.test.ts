import { expect, it } from "vitest";
import { connectionLabel, connectionLabelWithoutTime } from "./connection-text.ts";

it("shows the seconds until the next attempt", () => {
  expect(connectionLabel({ kind: "waiting", retryAtMs: 12_400 }, 10_000)).toBe("Reconnecting in 3 s");
  expect(connectionLabel({ kind: "full", retryAtMs: 12_400 }, 10_000)).toBe("Server full, trying again in 3 s");
  expect(connectionLabel({ kind: "waiting", retryAtMs: 9_000 }, 10_000)).toBe("Reconnecting in 1 s");
});

it("shows that the statuses are stale, and their time once", () => {
  const view = { kind: "stale", asOfMs: new Date(2026, 0, 15, 14, 5, 9).getTime() } as const;
  expect(connectionLabel(view, 0)).toBe("Stale: no updates, as of 14:05:09");
  expect(connectionLabelWithoutTime(view, 0)).toBe("Stale: no updates");
});
