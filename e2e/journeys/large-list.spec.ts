import type { Page } from "@playwright/test";
import { ClientPage } from "../fixtures/client-page.ts";
import { expect, test } from "../fixtures/test.ts";

const CONTACTS = 5_000;
/** Rows of a screen, with those that wait just outside of it. */
const ROWS_AT_MOST = 60;
const TURNS = 60;
/**
 * A turn of the wheel brings a whole screen of other rows, in a few dozen ms of the processor's time. A slow machine takes
 * twice as long; a list that looks at all its rows takes several times that.
 */
const TURN_AT_MOST_MS = 100;

test.use({ serverArgs: ["--contacts", String(CONTACTS)] });

test("five thousand contacts scroll without a hitch", async ({ context, listenAs }) => {
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
  expect((await workMs()) / TURNS).toBeLessThan(TURN_AT_MOST_MS);
  expect(await rows.count()).toBeLessThan(ROWS_AT_MOST);
  expect(await rows.count()).toBeGreaterThan(5);

  await page.getByRole("searchbox", { name: "Search contacts" }).fill("colleague-04321");
  await expect(rows).toHaveCount(1);
  await listenAs("colleague-04321");
  await anouk.sees("colleague-04321", "ONLINE");
});

/**
 * @returns what tells how long the page's main thread has worked since, in ms of the processor's own time: a machine that
 * is busy with other things makes that no longer
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
