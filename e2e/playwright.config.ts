import { defineConfig } from "@playwright/test";

const isCi = Boolean(process.env["CI"]);
const isRoot = process.getuid?.() === 0;
const chromiumPath = process.env["CHROMIUM_PATH"];

export default defineConfig({
  testDir: "./journeys",
  fullyParallel: true,
  forbidOnly: isCi,
  // A test that passes at the second try has failed.
  retries: 0,
  workers: 2,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: "list",
  use: {
    browserName: "chromium",
    trace: "retain-on-failure",
    launchOptions: {
      ...(chromiumPath ? { executablePath: chromiumPath } : {}),
      // Chromium's sandbox refuses to work for root, which is who runs the tests in a container.
      chromiumSandbox: !isRoot,
      // Tabs behave as they do at a user's: the hidden ones' timers are throttled, and pages come back from the cache.
      ignoreDefaultArgs: [
        "--disable-background-timer-throttling",
        "--disable-backgrounding-occluded-windows",
        "--disable-renderer-backgrounding",
        "--disable-back-forward-cache",
      ],
    },
  },
});
