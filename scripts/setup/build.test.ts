import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { beforeEach, expect, it } from "vitest";
import { hashFiles } from "./build.mjs";
import { root } from "./checkout.mjs";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "presence-hash-"));
  await mkdir(join(folder, "deep"));
  await writeFile(join(folder, "a.ts"), "one");
  await writeFile(join(folder, "deep/b.ts"), "two");
  return () => rm(folder, { recursive: true, force: true });
});

function hash(ignored?: RegExp): string {
  return hashFiles([relative(root, folder)], ignored);
}

it("is the same for the same files, and for changes in ignored ones", async () => {
  const before = hash(/^deep$/);
  await writeFile(join(folder, "a.ts"), "one");
  await writeFile(join(folder, "deep/b.ts"), "2");
  expect(hash(/^deep$/)).toBe(before);
});

it.each([
  ["a file is changed", () => writeFile(join(folder, "deep/b.ts"), "2")],
  ["a file is added", () => writeFile(join(folder, "c.ts"), "")],
  ["a file is removed", () => rm(join(folder, "a.ts"))],
  ["a file is renamed", () => rename(join(folder, "a.ts"), join(folder, "z.ts"))],
  [
    "text moves between files",
    () => Promise.all([writeFile(join(folder, "a.ts"), ""), writeFile(join(folder, "deep/b.ts"), "onetwo")]),
  ],
  ["the folder is removed", () => rm(folder, { recursive: true })],
])("differs if %s", async (_, change) => {
  const before = hash();
  await change();
  expect(hash()).not.toBe(before);
});
