import type { Page } from "playwright-core";
import sharp from "sharp";

/** One picture of an animation, and for how long it stays. */
interface Frame {
  png: Buffer;
  durationMs: number;
}

/** Browsers show frames that are shorter than this for longer. */
const SHORTEST_FRAME_MS = 20;

/** Films a page: real screenshots in real time, as fast as they can be taken. */
export class Animation {
  readonly #page: Page;
  readonly #frames: Frame[] = [];

  constructor(page: Page) {
    this.#page = page;
  }

  /** Films for as long as `scene` goes on. */
  async film(scene: () => Promise<void>): Promise<void> {
    let isOver = false;
    const ended = scene().finally(() => {
      isOver = true;
    });
    while (!isOver) {
      const startMs = performance.now();
      const png = await this.#page.screenshot();
      this.#append(png, performance.now() - startMs);
    }
    await ended;
  }

  /** Writes all that was filmed as an animated GIF that starts over when it has ended. */
  async save(path: string): Promise<void> {
    await sharp(
      this.#frames.map(({ png }) => png),
      { join: { animated: true } },
    )
      .gif({
        loop: 0,
        delay: this.#frames.map(({ durationMs }) => Math.max(SHORTEST_FRAME_MS, Math.round(durationMs))),
        effort: 10,
        dither: 0,
        interFrameMaxError: 4,
      })
      .toFile(path);
  }

  #append(png: Buffer, durationMs: number): void {
    const last = this.#frames.at(-1);
    if (last?.png.equals(png)) last.durationMs += durationMs;
    else this.#frames.push({ png, durationMs });
  }
}
