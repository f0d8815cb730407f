import { ClientPage } from "../fixtures/client-page.ts";
import { expect, test } from "../fixtures/test.ts";

const ARRIVALS = 60;

test.use({ serverArgs: ["--contacts", "200"] });

test("a long activity list renders more entries while scrolling, down to the last", async ({ context, listenAs }) => {
  const anouk = await ClientPage.open(context, "anouk");
  const colleague = (index: number) => `colleague-${String(index + 1).padStart(5, "0")}`;
  for (let index = 0; index < ARRIVALS; index++) {
    await listenAs(colleague(index));
    if (index === 0) await anouk.sees(colleague(0), "ONLINE");
  }
  const newest = anouk.activityOf(colleague(ARRIVALS - 1));
  const oldest = anouk.activityOf(colleague(0));
  await expect(newest).toBeInViewport();
  await expect(newest).toHaveAttribute("aria-setsize", String(ARRIVALS));
  expect(await anouk.activity.count()).toBeLessThan(ARRIVALS);

  await newest.hover();
  await expect(async () => {
    await anouk.page.mouse.wheel(0, 2_000);
    await expect(oldest).toBeInViewport({ timeout: 200 });
  }).toPass();
  await expect(oldest).toHaveAttribute("aria-posinset", String(ARRIVALS));
  await expect(anouk.activity).toHaveCount(ARRIVALS);
});
