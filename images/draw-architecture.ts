import type { Browser } from "playwright-core";
import sharp from "sharp";

const SOURCE = new URL("architecture/architecture.html", import.meta.url).href;
const SIZE = { width: 1600, height: 860 };

/** Renders the drawing in `architecture/` with the font of the app. */
export async function drawArchitecture(browser: Browser, path: string): Promise<void> {
  const page = await browser.newPage({ viewport: SIZE, deviceScaleFactor: 1.5 });
  await page.goto(SOURCE);
  await page.evaluate(() => document.fonts.ready);
  const png = await page.screenshot({ omitBackground: true });
  await sharp(png).png({ palette: true, effort: 10 }).toFile(path);
  await page.close();
}
