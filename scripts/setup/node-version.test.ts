import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { root } from "./checkout.mjs";
import { isSupportedNode } from "./node-version.mjs";

it.each(["20.19.0", "20.20.2", "22.12.0", "22.99.1", "24.0.0", "25.1.0", "100.0.0"])("accepts Node %s", (version) => {
  expect(isSupportedNode(version)).toBe(true);
});

it.each(["0.10.48", "12.22.12", "18.20.8", "20.18.3", "21.7.3", "22.11.0", "23.11.1", ""])(
  "rejects Node %j",
  (version) => {
    expect(isSupportedNode(version)).toBe(false);
  },
);

it("accepts the versions of package.json", () => {
  const { engines } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  expect(engines.node).toBe("^20.19.0 || ^22.12.0 || >=24.0.0");
});
