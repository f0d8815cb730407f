import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { findBannedTerms, findInText } from "./banned-terms.mjs";

it("finds banned words in any case, with the line and the replacement", () => {
  expect(findInText("fine\nNobody works off what\nprovableFrom")).toEqual([
    { line: 2, match: "Nobody", use: expect.stringContaining("name the client") },
    { line: 2, match: "works off", use: "process, drain" },
    { line: 3, match: "provableFrom", use: "completeSince" },
  ]);
});

it("accepts longer words and names", () => {
  expect(findInText("the handle of nobodyElse, put whomX by handing")).toEqual([]);
});

it("reads the text files of a folder", () => {
  const folder = mkdtempSync(join(tmpdir(), "presence-terms-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "a.md"), "sent by hand");
  writeFileSync(join(folder, "b.png"), "by hand");
  expect(findBannedTerms(folder)).toEqual([{ file: "a.md", line: 1, match: "by hand", use: "manually" }]);
});
