import { setTimeout as sleep } from "node:timers/promises";
import { type Browser, chromium, type Page } from "playwright-core";
import { type FrameFigures, figuresOf, TRACE_CATEGORIES, type TraceEvent } from "./frame-figures.ts";

/** A page that a window only pretends to be large enough for is drawn in part. Of its height 87 are the window's own. */
const WINDOW = "--window-size=1280,887";
/** Until what opening a page leaves behind has been cleared away. */
const SETTLING_MS = 1_000;

/** A contact's status by its id, as a badge or the server tells it. */
export type Statuses = ReadonlyMap<string, string>;

/** Chromium with one page in it, in which something always moves: so each frame of the screen's has something to show. */
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
    await opened.#move();
    return opened;
  }

  get version(): string {
    return this.#browser.version();
  }

  /** Signs in and resolves when the stream is live. */
  async open(url: string, client: string): Promise<void> {
    await this.#page.goto(`${url}/?as=${client}`);
    await this.#page.locator('[data-testid="connection"][data-state="live"]').waitFor();
    await this.#move();
  }

  /** @param share of the contact list's height */
  async scrollTo(share: number): Promise<void> {
    await this.#page.locator(".contacts__scroller").evaluate((scroller, part) => {
      scroller.scrollTop = part * scroller.scrollHeight;
    }, share);
  }

  /** With the pointer over the list its order is held. */
  async hoverList(): Promise<void> {
    await this.#page.locator(".contacts__scroller").hover();
  }

  async leaveList(): Promise<void> {
    await this.#page.mouse.move(0, 0);
  }

  /** @param during is waited for while it is traced */
  async trace(during: () => Promise<void>): Promise<FrameFigures> {
    await sleep(SETTLING_MS);
    await this.#browser.startTracing(this.#page, { categories: TRACE_CATEGORIES });
    await during();
    const trace = await this.#browser.stopTracing();
    const { traceEvents }: { traceEvents: TraceEvent[] } = JSON.parse(trace.toString());
    return figuresOf(traceEvents);
  }

  /** The badge of every contact, by scrolling through the whole list. */
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

  /** What stands above the section, such as `Online 2499`. */
  async count(status: "Online" | "Offline"): Promise<number> {
    await this.scrollTo(0);
    const heading = this.#page.getByRole("heading", { name: new RegExp(`^${status} \\d`) });
    return Number((await heading.textContent())?.replace(/\D/g, ""));
  }

  async close(): Promise<void> {
    await this.#browser.close();
  }

  /** By the compositor, so that it costs the main thread nothing. */
  async #move(): Promise<void> {
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
