import { expect, it } from "vitest";
import type { Happening } from "./demo-log.ts";
import { tell } from "./story-words.ts";

const nameOf = (client: string) => ({ anouk: "Anouk", magali: "Magali", omar: "Omar" })[client] ?? client;

const happening: Happening = {
  key: "",
  subject: "omar",
  status: "OFFLINE",
  atMs: 8420,
  seen: [
    { viewer: "anouk", atMs: 8423, delayMs: 3 },
    { viewer: "magali", atMs: 8424, delayMs: 4 },
  ],
};

it("tells cause, outcome and witnesses", () => {
  const cause = { kind: "close", client: "omar", atMs: 1000 } as const;
  expect(tell({ kind: "change", happening, cause }, nameOf)).toEqual({
    headline: "Omar’s tab was closed: offline 7.4 s later",
    detail: "Anouk saw it 3 ms after it happened, Magali 4 ms after.",
  });
});

it("tells what came by itself", () => {
  expect(tell({ kind: "change", happening, cause: undefined }, nameOf).headline).toBe("Omar is offline");
});

it("tells of a reload that changed nothing", () => {
  const press = { kind: "reload", client: "omar", atMs: 1000 } as const;
  expect(tell({ kind: "calm", press }, nameOf).headline).toBe("Omar reloaded, and nobody saw Omar leave");
});
