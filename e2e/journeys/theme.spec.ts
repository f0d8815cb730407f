import type { Page } from "@playwright/test";
import { ClientPage } from "../fixtures/client-page.ts";
import { expect, test } from "../fixtures/test.ts";

/** The brightness of the page's background, from 0 (black) to 255 (white). */
function brightness(page: Page): Promise<number> {
  return page.evaluate(() => {
    const canvas = new OffscreenCanvas(1, 1).getContext("2d");
    if (!canvas) throw new Error("The canvas has no 2D context.");
    canvas.fillStyle = getComputedStyle(document.body).backgroundColor;
    canvas.fillRect(0, 0, 1, 1);
    const [red = 0, green = 0, blue = 0] = canvas.getImageData(0, 0, 1, 1).data;
    return (red + green + blue) / 3;
  });
}

test("the theme follows the system until one is chosen, and the choice is stored", async ({ context, page }) => {
  await page.emulateMedia({ colorScheme: "light" });
  await page.goto("/?as=anouk");
  await new ClientPage(page).isLive();
  expect(await brightness(page)).toBeGreaterThan(200);
  await page.emulateMedia({ colorScheme: "dark" });
  expect(await brightness(page)).toBeLessThan(50);

  await page.getByTitle("Light theme").filter({ visible: true }).click();
  expect(await brightness(page)).toBeGreaterThan(200);
  await page.reload();
  await expect(page.getByRole("radio", { name: "Light" })).toBeChecked();
  expect(await brightness(page)).toBeGreaterThan(200);

  const other = await context.newPage();
  await other.goto("/?as=magali");
  await other.getByTitle("Dark theme").filter({ visible: true }).click();
  await expect(page.getByRole("radio", { name: "Dark" })).toBeChecked();
  expect(await brightness(page), "the browser's other pages follow").toBeLessThan(50);
});
