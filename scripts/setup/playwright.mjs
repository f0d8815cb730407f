import { createRequire } from "node:module";
import { join } from "node:path";
import { root } from "./checkout.mjs";

const require = createRequire(join(root, "e2e/package.json"));

/** @returns {string} the path of Playwright's command line, once the packages are installed */
export function playwrightCli() {
  return require.resolve("@playwright/test/cli");
}

/** @returns {string} where Playwright's own Chromium is, or would be */
export function playwrightChromium() {
  /** @type {typeof import("@playwright/test")} */
  const { chromium } = require("@playwright/test");
  return chromium.executablePath();
}
