import type { Page } from "@playwright/test";
import { ClientPage } from "../fixtures/client-page.ts";
import { expect, test } from "../fixtures/test.ts";

const CONTACTS = 5_000;
/** The visible rows and those just outside the visible part. */
const MAX_ROWS = 60;
const TURNS = 60;
/**
 * A turn of the wheel renders a screen of new rows, which takes a few dozen ms of CPU time. A slow machine needs twice as
 * long. A list that is not virtual needs several times as long.
 */
const MAX_WORK_PER_TURN_MS = 100;

test.use({ serverArgs: ["--contacts", String(CONTACTS)] });

test("scrolling through 5,000 contacts needs little CPU time", async ({ context, listenAs }) => {
  const anouk = await ClientPage.open(context, "anouk");
  const { page } = anouk;
  const rows = page.getByTestId("contact");
  await expect(page.getByRole("heading", { name: /^Offline 5,?000$/ })).toBeVisible();

  await rows.first().hover();
  const workMs = await startMeasuringWork(page);
  for (let turn = 0; turn < TURNS; turn += 1) {
    await page.mouse.wheel(0, 1_500);
    await page.evaluate(() => new Promise(requestAnimationFrame));
  }
  expect((await workMs()) / TURNS).toBeLessThan(MAX_WORK_PER_TURN_MS);
  expect(await rows.count()).toBeLessThan(MAX_ROWS);
  expect(await rows.count()).toBeGreaterThan(5);

  await page.getByRole("searchbox", { name: "Search contacts" }).fill("colleague-04321");
  await expect(rows).toHaveCount(1);
  await listenAs("colleague-04321");
  await anouk.sees("colleague-04321", "ONLINE");
});

/**
 * Starts measuring the CPU time of the page's main thread. Other load on the machine does not increase it.
 *
 * @returns a function that returns the CPU time since the start, in ms
 */
async function startMeasuringWork(page: Page): Promise<() => Promise<number>> {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  const taskMs = async () => {
    const { metrics } = await session.send("Performance.getMetrics");
    return 1_000 * (metrics.find(({ name }) => name === "TaskDuration")?.value ?? Number.NaN);
  };
  const before = await taskMs();
  return async () => (await taskMs()) - before;
}
