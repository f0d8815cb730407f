import { setTimeout as delay } from "node:timers/promises";
import type { Browser, Locator, Page } from "playwright-core";
import { Animation } from "./animation.ts";

const SIZE = { width: 1200, height: 760 };
const CAST = ["anouk", "magali", "omar"];
/** The time to read what has just changed. */
const READING_MS = 2_200;

/** Records the three-client demo: one client is closed and opened again, another one signs out and in. */
export async function filmThreeClients(browser: Browser, url: string, path: string): Promise<void> {
  const page = await browser.newPage({ viewport: SIZE });
  await page.goto(`${url}/demo`);
  for (const viewer of CAST)
    for (const subject of CAST) if (viewer !== subject) await sees(page, viewer, subject, "ONLINE");
  const pointer = await drawPointer(page);
  const animation = new Animation(page);

  const press = async (name: string) => {
    const button = page.getByRole("button", { name });
    await pointTo(pointer, button);
    await button.click();
  };
  const othersSee = async (subject: string, status: string) => {
    for (const viewer of CAST) if (viewer !== subject) await sees(page, viewer, subject, status);
    await delay(READING_MS);
  };

  await animation.film(async () => {
    await delay(READING_MS / 2);
    await press("Close Magali");
    await othersSee("magali", "OFFLINE");
    await press("Open Magali");
    await othersSee("magali", "ONLINE");
    await press("Sign out Omar");
    await othersSee("omar", "OFFLINE");
    await press("Sign in Omar");
    await othersSee("omar", "ONLINE");
  });
  await animation.save(path);
  await page.close();
}

async function sees(page: Page, viewer: string, subject: string, status: string): Promise<void> {
  const frame = page.locator(`[data-testid="demo-frame"][data-client="${viewer}"] iframe`).contentFrame();
  await frame.locator(`[data-testid="contact"][data-client="${subject}"][data-status="${status}"]`).waitFor();
}

/** Draws a pointer, because screenshots have none. */
async function drawPointer(page: Page): Promise<Locator> {
  await page.evaluate(() => {
    const pointer = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    pointer.id = "pointer";
    pointer.setAttribute("viewBox", "0 0 24 24");
    pointer.setAttribute("aria-hidden", "true");
    const arrow = document.createElementNS("http://www.w3.org/2000/svg", "path");
    arrow.setAttribute("d", "M4 2 L4 19 L8.5 15 L11.5 22 L14.5 20.7 L11.5 14 L17.5 13.5 Z");
    arrow.setAttribute("fill", "#111");
    arrow.setAttribute("stroke", "#fff");
    arrow.setAttribute("stroke-width", "1.5");
    pointer.append(arrow);
    Object.assign(pointer.style, {
      position: "fixed",
      width: "28px",
      left: "0",
      top: "0",
      transform: "translate(600px, 460px)",
      transition: "transform 450ms ease-in-out",
      pointerEvents: "none",
      zIndex: "10",
    });
    document.body.append(pointer);
  });
  return page.locator("#pointer");
}

async function pointTo(pointer: Locator, target: Locator): Promise<void> {
  const box = await target.boundingBox();
  if (!box) throw new Error("The target of the pointer has no bounding box.");
  await pointer.evaluate(
    async (element, { x, y }) => {
      if (!(element instanceof SVGElement)) return;
      element.style.transform = `translate(${x}px, ${y}px)`;
      await Promise.all(element.getAnimations().map((animation) => animation.finished));
    },
    { x: box.x + box.width * 0.6, y: box.y + box.height * 0.5 },
  );
}
