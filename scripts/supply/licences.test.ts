import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { root } from "../setup/checkout.mjs";
import { ALLOWED_LICENCES, licencesPage, shippedPackages } from "./licences.mjs";

const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));

it("lists dependencies at any depth, without workspaces and development dependencies", () => {
  const packages = {
    "apps/server": {},
    "node_modules/gears": { link: true },
    "node_modules/express": { version: "5.0.0", license: "MIT" },
    "node_modules/express/node_modules/ms": { version: "1.0.0", license: "ISC" },
    "node_modules/@scope/ms": { version: "2.0.0" },
    "node_modules/vitest": { version: "4.0.0", license: "MIT", dev: true },
    "node_modules/@types/react": { version: "19.0.0", license: "MIT", devOptional: true },
  };
  expect(shippedPackages({ packages })).toEqual([
    { name: "@scope/ms", version: "2.0.0", license: "unknown" },
    { name: "express", version: "5.0.0", license: "MIT" },
    { name: "ms", version: "1.0.0", license: "ISC" },
  ]);
});

it("finds only allowed licences", () => {
  const shipped = shippedPackages(lock);
  expect(shipped.map(({ name }) => name)).toEqual(
    expect.arrayContaining(["express", "ioredis", "react", "body-parser"]),
  );
  expect(shipped.filter(({ license }) => !ALLOWED_LICENCES.includes(license))).toEqual([]);
});

it("has written docs/licences.md from the present lock file", () => {
  expect(readFileSync(join(root, "docs/licences.md"), "utf8")).toBe(licencesPage(shippedPackages(lock)));
});

it("allows no install scripts, and pins each installed package to a hash", () => {
  const packages = Object.entries(lock.packages as Record<string, Record<string, unknown>>);
  const installed = packages.filter(([path, { link }]) => path.includes("node_modules/") && !link);
  expect(installed.filter(([, { integrity }]) => typeof integrity !== "string")).toEqual([]);
  const withScripts = installed.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => path);
  expect(withScripts.filter((path) => !/\/(esbuild|fsevents)$/.test(path))).toEqual([]);
  expect(readFileSync(join(root, ".npmrc"), "utf8")).toMatch(/^ignore-scripts=true$/m);
});
