import { expect, it } from "vitest";
import type { StatusChange } from "./demo-log.ts";
import { summaryText } from "./summary-text.ts";

const nameOf = (client: string) => ({ anouk: "Anouk", magali: "Magali", omar: "Omar" })[client] ?? client;

const change: StatusChange = {
  key: "",
  subject: "omar",
  status: "OFFLINE",
  atMs: 8420,
  observations: [
    { viewer: "anouk", atMs: 8423, delayMs: 3 },
    { viewer: "magali", atMs: 8424, delayMs: 4 },
  ],
};

it("describes a change with its cause and observers", () => {
  const cause = { kind: "close", client: "omar", atMs: 1000 } as const;
  expect(summaryText({ kind: "change", change, cause }, nameOf)).toEqual({
    headline: "Omar’s tab was closed: offline 7.4 s later",
    detail: "Anouk saw it after 3 ms, Magali after 4 ms.",
  });
});

it("describes a change without a cause", () => {
  expect(summaryText({ kind: "change", change, cause: undefined }, nameOf).headline).toBe("Omar is offline");
});

it("describes a reload without a status change", () => {
  const action = { kind: "reload", client: "omar", atMs: 1000 } as const;
  expect(summaryText({ kind: "unnoticed-reload", action }, nameOf).headline).toBe(
    "Omar reloaded, and the others saw no change",
  );
});
