/**
 * Frames that somebody is owed, in their order. Most watchers of a burst are owed the same: rows that grew side by side
 * from one start, by the same frames, are one object, which is put together once.
 */
export class FrameBatch {
  readonly byteLength: number;
  readonly #before: FrameBatch | undefined;
  readonly #frame: Buffer | undefined;
  /** The longer row that was made of this one last. */
  #longer: FrameBatch | undefined;
  #bytes: Buffer | undefined;

  private constructor(before?: FrameBatch, frame?: Buffer) {
    this.byteLength = (before?.byteLength ?? 0) + (frame?.length ?? 0);
    this.#before = before;
    this.#frame = frame;
  }

  /** A row of no frames. */
  static start(): FrameBatch {
    return new FrameBatch();
  }

  /** This row, and another frame after it. */
  with(frame: Buffer): FrameBatch {
    const longer = this.#longer;
    if (longer !== undefined && longer.#frame === frame) return longer;
    this.#longer = new FrameBatch(this, frame);
    return this.#longer;
  }

  /** All frames in one. */
  get bytes(): Buffer {
    this.#bytes ??= this.#join();
    return this.#bytes;
  }

  #join(): Buffer {
    const frames: Buffer[] = [];
    for (let row: FrameBatch | undefined = this; row !== undefined; row = row.#before)
      if (row.#frame) frames.push(row.#frame);
    const [only] = frames;
    return only && frames.length === 1 ? only : Buffer.concat(frames.reverse(), this.byteLength);
  }
}
