import { defineConfig } from "@playwright/test";

const isCi = Boolean(process.env["CI"]);
const isRoot = process.getuid?.() === 0;
const chromiumPath = process.env["CHROMIUM_PATH"];

export default defineConfig({
  testDir: "./journeys",
  fullyParallel: true,
  forbidOnly: isCi,
  // A test that passes only in a second attempt has failed.
  retries: 0,
  // One at a time: leases and deadlines pass while another browser keeps both cores busy.
  workers: 1,
  // Upper bounds only: Chromium may be three times slower on one machine than on another.
  timeout: 180_000,
  expect: { timeout: 20_000 },
  reporter: "list",
  use: {
    browserName: "chromium",
    trace: "retain-on-failure",
    launchOptions: {
      ...(chromiumPath ? { executablePath: chromiumPath } : {}),
      // Chromium's sandbox does not work for root, which runs the tests in a container.
      chromiumSandbox: !isRoot,
      // Keep a user's defaults: throttled timers in hidden tabs, and the back/forward cache.
      ignoreDefaultArgs: [
        "--disable-background-timer-throttling",
        "--disable-backgrounding-occluded-windows",
        "--disable-renderer-backgrounding",
        "--disable-back-forward-cache",
      ],
    },
  },
});
