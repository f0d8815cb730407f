import { ClientPage } from "../fixtures/client-page.ts";
import { expect, test } from "../fixtures/test.ts";

const WIDTHS = [390, 768, 1440, 1920];
const PAGES = ["/", "/?as=anouk", "/demo", "/no-such-page", "/?as=not/an/id"];

test("no page scrolls sideways at any width", async ({ page }) => {
  for (const path of PAGES) {
    await page.goto(path);
    await page.waitForLoadState("networkidle");
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 844 });
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect.soft(overflow, `${path} at ${width}`).toBeLessThanOrEqual(0);
    }
  }
});

test.describe("with reduced motion", () => {
  test.use({ contextOptions: { reducedMotion: "reduce" } });

  test("a row changes its section at once", async ({ context, listenAs }) => {
    const anouk = await ClientPage.open(context, "anouk");
    await anouk.sees("sofia", "OFFLINE");
    await listenAs("sofia");
    await anouk.sees("sofia", "ONLINE");
    const running = await anouk.page.evaluate(
      () => document.getAnimations().filter((animation) => animation.playState === "running").length,
    );
    expect(running).toBe(0);
  });
});
