import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { root } from "./checkout.mjs";
import { isInstalled, type LockedPackages, satisfies } from "./install.mjs";

async function readPackages(path: string): Promise<LockedPackages> {
  return JSON.parse(await readFile(join(root, path), "utf8")).packages;
}

const wanted = await readPackages("package-lock.json");
const installed = await readPackages("node_modules/.package-lock.json");

it("accepts what npm has installed from this lock file", async () => {
  expect(satisfies(installed, wanted, process)).toBe(true);
  expect(await isInstalled()).toBe(true);
});

it("accepts that an optional package is missing", () => {
  const optional = { "node_modules/for-another-system": { version: "1.0.0", optional: true, os: ["aix"] } };
  expect(satisfies(installed, { ...wanted, ...optional }, process)).toBe(true);
});

it("notices a missing package", () => {
  const { "node_modules/vitest": _, ...others } = installed;
  expect(satisfies(others, wanted, process)).toBe(false);
});

it.each([{ version: "0.0.1" }, { integrity: "sha512-another" }])("notices a different package: %j", (change) => {
  const changed = { ...wanted["node_modules/vitest"], ...change };
  expect(satisfies({ ...installed, "node_modules/vitest": changed }, wanted, process)).toBe(false);
});

it.each([{ os: ["another"] }, { os: [`!${process.platform}`] }, { cpu: ["another"] }])(
  "notices packages that were installed on another kind of machine: %j",
  (machine) => {
    const foreign = { "node_modules/foreign": { version: "1.0.0", ...machine } };
    expect(satisfies({ ...installed, ...foreign }, wanted, process)).toBe(false);
  },
);
