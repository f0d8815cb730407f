import { expect, it } from "vitest";
import { connectionLabel } from "./connection-text.ts";

it("shows the seconds until the next attempt", () => {
  expect(connectionLabel({ kind: "waiting", retryAtMs: 12_400 }, 10_000)).toBe("Reconnecting in 3 s");
  expect(connectionLabel({ kind: "full", retryAtMs: 12_400 }, 10_000)).toBe("Server full, trying again in 3 s");
  expect(connectionLabel({ kind: "waiting", retryAtMs: 9_000 }, 10_000)).toBe("Reconnecting in 1 s");
});
