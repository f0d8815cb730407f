import { ClientPage } from "../fixtures/client-page.ts";
import { expect, test } from "../fixtures/test.ts";

const WIDTHS = [390, 768, 1440, 1920];
const PAGES = [
  { path: "/", landmark: "Magali Dubois" },
  { path: "/?as=anouk", landmark: "Magali Dubois" },
  { path: "/demo", landmark: "Three clients, live" },
  { path: "/?as=not/an/id", landmark: "This id can’t be used" },
];

for (const { path, landmark } of PAGES) {
  test(`${path} does not scroll horizontally at any width`, async ({ page }) => {
    await page.goto(path);
    await expect(page.getByText(landmark).first()).toBeVisible();
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 844 });
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect.soft(overflow, `at ${width} pixels`).toBeLessThanOrEqual(0);
    }
  });
}

test.describe("with reduced motion", () => {
  test.use({ contextOptions: { reducedMotion: "reduce" } });

  test("a row moves to another section without animation", async ({ context, listenAs }) => {
    const anouk = await ClientPage.open(context, "anouk");
    await anouk.sees("sofia", "OFFLINE");
    await listenAs("sofia");
    await anouk.sees("sofia", "ONLINE");
    const moving = await anouk.page.evaluate(() =>
      document
        .getAnimations()
        .filter(({ effect }) => effect instanceof KeyframeEffect)
        .flatMap(({ effect }) => (effect as KeyframeEffect).getKeyframes())
        .filter((keyframe) => "transform" in keyframe),
    );
    expect(moving).toEqual([]);
  });
});
