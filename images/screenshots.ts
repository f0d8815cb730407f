import type { Browser, Locator, Page } from "playwright-core";
import sharp from "sharp";
import type { RunningApp } from "./running-app.ts";

export interface Shot {
  path: string;
  width: number;
  height: number;
  colorScheme: "light" | "dark";
}

const GONE = ["ines", "david", "lucia"];
const EARLY = ["kenji", "priya", "sofia"];
const LATE = ["omar", "magali"];

/**
 * Opens Anouk's contacts, and connects and disconnects some clients.
 *
 * @returns a function that takes the screenshots later, when "last seen" and the activity list have content
 */
export async function openContacts(browser: Browser, app: RunningApp, shots: readonly Shot[]) {
  const pages = await Promise.all(shots.map((shot) => open(browser, `${app.url}/?as=anouk`, shot)));
  for (const page of pages) await page.locator('[data-testid="connection"][data-state="live"]').waitFor();
  for (const client of [...GONE, ...EARLY]) await app.connect(client);
  for (const client of GONE) app.disconnect(client);

  return async () => {
    for (const client of LATE) await app.connect(client);
    for (const [index, shot] of shots.entries()) {
      const page = pages[index];
      if (!page) continue;
      for (const client of [...EARLY, ...LATE]) await contact(page, client, "ONLINE").waitFor();
      for (const client of GONE) await contact(page, client, "OFFLINE").waitFor();
      await take(page, shot);
    }
  };
}

/** Takes a screenshot of the demo page after one of the three clients was closed. */
export async function shootDemo(browser: Browser, app: RunningApp, shot: Shot): Promise<void> {
  const page = await open(browser, `${app.url}/demo`, shot);
  const anouk = page.locator('[data-testid="demo-frame"][data-client="anouk"] iframe').contentFrame();
  await contact(anouk, "magali", "ONLINE").waitFor();
  await page.getByRole("button", { name: "Close Magali" }).click();
  await page.locator('[data-testid="mark"][data-subject="magali"][data-status="OFFLINE"]').nth(1).waitFor();
  await take(page, shot);
}

async function open(browser: Browser, url: string, { width, height, colorScheme }: Shot): Promise<Page> {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme, deviceScaleFactor: 2 });
  const page = await context.newPage();
  await page.goto(url);
  return page;
}

function contact(view: Pick<Page, "locator">, client: string, status: string): Locator {
  return view.locator(`[data-testid="contact"][data-client="${client}"][data-status="${status}"]`);
}

/** Takes a screenshot when all animations have finished. */
async function take(page: Page, { path }: Shot): Promise<void> {
  await page.evaluate(() => Promise.allSettled(document.getAnimations().map((animation) => animation.finished)));
  const png = await page.screenshot();
  await sharp(png).png({ palette: true, quality: 90, effort: 10 }).toFile(path);
  await page.context().close();
}
