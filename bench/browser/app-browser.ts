import { setTimeout as sleep } from "node:timers/promises";
import { type Browser, chromium, type Page } from "playwright-core";
import { type FrameFigures, figuresOf, TRACE_CATEGORIES, type TraceEvent } from "./frame-figures.ts";

/** Without a real window of this size, Chromium draws only a part of the page. 87 pixels are the window's own. */
const WINDOW = "--window-size=1280,887";
/** For the work that follows the opening of a page. */
const SETTLING_MS = 1_000;

/** The status of each contact, by its id. */
export type Statuses = ReadonlyMap<string, string>;

/** Chromium with one page. Something always moves in it, so that each frame has something to show. */
export class AppBrowser {
  readonly #browser: Browser;
  readonly #page: Page;

  private constructor(browser: Browser, page: Page) {
    this.#browser = browser;
    this.#page = page;
  }

  static async launch(): Promise<AppBrowser> {
    const executablePath = process.env["CHROMIUM_PATH"];
    const browser = await chromium.launch({
      ...(executablePath && { executablePath }),
      chromiumSandbox: process.getuid?.() !== 0,
      args: [WINDOW],
    });
    const page = await browser.newPage({ viewport: null });
    await page.setContent("<!doctype html><title>blank</title>");
    const opened = new AppBrowser(browser, page);
    await opened.#addMovingMark();
    return opened;
  }

  get version(): string {
    return this.#browser.version();
  }

  /** Signs in, and resolves when the stream is live. */
  async open(url: string, client: string): Promise<void> {
    await this.#page.goto(`${url}/?as=${client}`);
    await this.#page.locator('[data-testid="connection"][data-state="live"]').waitFor();
    await this.#addMovingMark();
  }

  /** @param share of the contact list's height */
  async scrollTo(share: number): Promise<void> {
    await this.#page.locator(".contacts__scroller").evaluate((scroller, part) => {
      scroller.scrollTop = part * scroller.scrollHeight;
    }, share);
  }

  /** While the pointer is over the list, its order does not change. */
  async hoverList(): Promise<void> {
    await this.#page.locator(".contacts__scroller").hover();
  }

  async leaveList(): Promise<void> {
    await this.#page.mouse.move(0, 0);
  }

  /** Traces the page during the callback. */
  async trace(during: () => Promise<void>): Promise<FrameFigures> {
    await sleep(SETTLING_MS);
    await this.#browser.startTracing(this.#page, { categories: TRACE_CATEGORIES });
    await during();
    const trace = await this.#browser.stopTracing();
    const { traceEvents }: { traceEvents: TraceEvent[] } = JSON.parse(trace.toString());
    return figuresOf(traceEvents);
  }

  /** Reads the badge of every contact while scrolling through the list. */
  async badges(): Promise<Statuses> {
    const seen = await this.#page.locator(".contacts__scroller").evaluate(async (scroller) => {
      const badges: Record<string, string> = {};
      for (let top = 0; top < scroller.scrollHeight; top += scroller.clientHeight) {
        scroller.scrollTop = top;
        for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
        for (const row of scroller.querySelectorAll<HTMLElement>("[data-client]")) {
          badges[row.dataset["client"] ?? ""] = row.querySelector("svg")?.dataset["status"] ?? "";
        }
      }
      return badges;
    });
    return new Map(Object.entries(seen));
  }

  /** Reads the heading of a section, such as `Online 2499`. */
  async count(status: "Online" | "Offline"): Promise<number> {
    await this.scrollTo(0);
    const heading = this.#page.getByRole("heading", { name: new RegExp(`^${status} \\d`) });
    return Number((await heading.textContent())?.replace(/\D/g, ""));
  }

  async close(): Promise<void> {
    await this.#browser.close();
  }

  /** The compositor moves it, without the main thread. */
  async #addMovingMark(): Promise<void> {
    await this.#page.evaluate(() => {
      const mark = document.createElement("div");
      mark.style.cssText = "position: fixed; bottom: 0; left: 0; width: 8px; height: 8px; background: gray";
      document.body.append(mark);
      mark.animate([{ transform: "none" }, { transform: "translateX(200px)" }], {
        duration: 1_000,
        iterations: Number.POSITIVE_INFINITY,
        direction: "alternate",
      });
    });
  }
}
