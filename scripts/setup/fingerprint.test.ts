import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { root } from "./checkout.mjs";
import { fingerprint } from "./fingerprint.mjs";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "presence-fingerprint-"));
  await mkdir(join(folder, "deep"));
  await writeFile(join(folder, "a.ts"), "one");
  await writeFile(join(folder, "deep/b.ts"), "two");
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

function take(isIgnored?: (name: string) => boolean): Promise<string> {
  return fingerprint([relative(root, folder)], isIgnored);
}

it("is the same for the same files", async () => {
  const before = await take();
  await writeFile(join(folder, "a.ts"), "one");
  expect(await take()).toBe(before);
});

it.each([
  ["changed", () => writeFile(join(folder, "deep/b.ts"), "2")],
  ["added", () => writeFile(join(folder, "c.ts"), "")],
  ["removed", () => rm(join(folder, "a.ts"))],
  ["renamed", () => rename(join(folder, "a.ts"), join(folder, "z.ts"))],
])("is another when a file is %s", async (_, act) => {
  const before = await take();
  await act();
  expect(await take()).not.toBe(before);
});

it("is another when text moves from one file to the next", async () => {
  await writeFile(join(folder, "b.ts"), "x");
  const before = await take();
  await writeFile(join(folder, "a.ts"), "on");
  await writeFile(join(folder, "b.ts"), "ex");
  expect(await take()).not.toBe(before);
});

it("leaves out what doesn't count", async () => {
  const withoutDeep = () => take((name) => name === "deep");
  const before = await withoutDeep();
  await writeFile(join(folder, "deep/b.ts"), "2");
  expect(await withoutDeep()).toBe(before);
});

it("counts a missing path as such", async () => {
  const before = await take();
  await rm(folder, { recursive: true });
  const missing = await take();
  expect(missing).not.toBe(before);
  await mkdir(folder);
  expect(await take()).not.toBe(before);
});
