import type { Page } from "playwright-core";
import sharp from "sharp";

/** One image of an animation, and how long it is shown. */
interface Frame {
  png: Buffer;
  durationMs: number;
}

/** Browsers show shorter frames for longer than they should. */
const SHORTEST_FRAME_MS = 20;

/** Records a page by screenshots in real time, as fast as they can be taken. */
export class Animation {
  readonly #page: Page;
  readonly #frames: Frame[] = [];

  constructor(page: Page) {
    this.#page = page;
  }

  /** Records while `scene` runs. */
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

  /** Writes the recording as an animated GIF that repeats. */
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
