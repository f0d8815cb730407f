import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { root } from "./checkout.mjs";
import { isInstalled, type LockedPackages, satisfies } from "./install.mjs";

const here = { platform: process.platform, arch: process.arch };

async function readPackages(path: string): Promise<LockedPackages> {
  return JSON.parse(await readFile(join(root, path), "utf8")).packages;
}

const wanted = await readPackages("package-lock.json");
const installed = await readPackages("node_modules/.package-lock.json");

it("is content with what npm has installed for this very lock file", async () => {
  expect(satisfies(installed, wanted, here)).toBe(true);
  expect(await isInstalled()).toBe(true);
});

it("misses a package that is not there", () => {
  const { "node_modules/vitest": _, ...others } = installed;
  expect(satisfies(others, wanted, here)).toBe(false);
});

it("doesn't miss an optional package that is not there", () => {
  const optional = { "node_modules/for-another-system": { version: "1.0.0", optional: true, os: ["aix"] } };
  expect(satisfies(installed, { ...wanted, ...optional }, here)).toBe(true);
});

it.each([{ version: "0.0.1" }, { integrity: "sha512-another" }])(
  "notices another package in the place: %j",
  (change) => {
    const changed = { ...wanted["node_modules/vitest"], ...change };
    expect(satisfies({ ...installed, "node_modules/vitest": changed }, wanted, here)).toBe(false);
  },
);

it("notices packages that were installed for another system", () => {
  expect(satisfies(installed, wanted, { ...here, platform: here.platform === "win32" ? "linux" : "win32" })).toBe(
    false,
  );
  expect(satisfies(installed, wanted, { ...here, arch: here.arch === "x64" ? "arm64" : "x64" })).toBe(false);
});
