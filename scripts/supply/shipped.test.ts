import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { root } from "../setup/checkout.mjs";
import { ALLOWED_LICENCES, licencesPage, shippedPackages } from "./shipped.mjs";

const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));

describe("what is shipped", () => {
  it("is what ours stand on, however deep, and nothing that only builds or tests", () => {
    const packages = {
      "apps/server": { dependencies: { gears: "1", express: "5" }, devDependencies: { vitest: "4" } },
      gears: { dependencies: { ms: "2" } },
      "node_modules/gears": { link: true, resolved: "gears" },
      "node_modules/express": { version: "5.0.0", license: "MIT", dependencies: { ms: "1" } },
      "node_modules/express/node_modules/ms": { version: "1.0.0", license: "ISC" },
      "node_modules/ms": { version: "2.0.0" },
      "node_modules/vitest": { version: "4.0.0", license: "MIT" },
    };
    expect(shippedPackages({ packages })).toEqual([
      { name: "express", version: "5.0.0", license: "MIT" },
      { name: "ms", version: "1.0.0", license: "ISC" },
      { name: "ms", version: "2.0.0", license: "unknown" },
    ]);
  });

  it("has licences that are allowed", () => {
    const shipped = shippedPackages(lock);
    expect(shipped.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["express", "ioredis", "react", "body-parser"]),
    );
    expect(shipped.filter(({ license }) => !ALLOWED_LICENCES.includes(license))).toEqual([]);
  });

  it("is listed", () => {
    expect(readFileSync(join(root, "docs/licences.md"), "utf8")).toBe(licencesPage(shippedPackages(lock)));
  });
});

describe("what is installed", () => {
  it("is held to a hash, and of its install scripts none is run but those known", () => {
    const packages = Object.entries(lock.packages as Record<string, Record<string, unknown>>);
    const others = packages.filter(([path, { link }]) => path.includes("node_modules/") && !link);
    expect(others.filter(([, { integrity }]) => typeof integrity !== "string")).toEqual([]);
    const withScripts = others.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => path);
    expect(withScripts.filter((path) => !/\/(esbuild|fsevents)$/.test(path))).toEqual([]);
    expect(readFileSync(join(root, ".npmrc"), "utf8")).toMatch(/^ignore-scripts=true$/m);
  });
});
