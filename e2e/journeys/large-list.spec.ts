import { ClientPage } from "../fixtures/client-page.ts";
import { expect, test } from "../fixtures/test.ts";

const CONTACTS = 5_000;
/** Rows of a screen, with those that wait just outside of it. */
const ROWS_AT_MOST = 60;
/** Past this a person feels that the page hangs; a slow and busy machine takes its time too. */
const TASK_AT_MOST_MS = 200;

test.use({ serverArgs: ["--contacts", String(CONTACTS)] });

test("five thousand contacts scroll without a hitch", async ({ context, listenAs }) => {
  const anouk = await ClientPage.open(context, "anouk");
  const { page } = anouk;
  const rows = page.getByTestId("contact");
  await expect(page.getByRole("heading", { name: /^Offline 5,?000$/ })).toBeVisible();
  await page.evaluate(() => {
    const root = document.documentElement;
    const observer = new PerformanceObserver((list) => {
      const longest = Math.max(Number(root.dataset["longestTaskMs"] ?? 0), ...list.getEntries().map((e) => e.duration));
      root.dataset["longestTaskMs"] = String(longest);
    });
    observer.observe({ type: "longtask" });
  });

  await rows.first().hover();
  for (let turns = 0; turns < 60; turns += 1) {
    await page.mouse.wheel(0, 1_500);
    await page.evaluate(() => new Promise(requestAnimationFrame));
    expect(await rows.count()).toBeLessThan(ROWS_AT_MOST);
  }
  expect(await rows.count()).toBeGreaterThan(5);
  expect(await page.evaluate(() => Number(document.documentElement.dataset["longestTaskMs"] ?? 0))).toBeLessThan(
    TASK_AT_MOST_MS,
  );

  await page.getByRole("searchbox", { name: "Search contacts" }).fill("colleague-04321");
  await expect(rows).toHaveCount(1);
  await listenAs("colleague-04321");
  await anouk.sees("colleague-04321", "ONLINE");
});
