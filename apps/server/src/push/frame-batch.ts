/**
 * Frames that a connection will be sent with the next flush, in order. Most viewers of a burst receive the same frames:
 * batches that were built from the same start with the same frames are one object, and are concatenated once.
 */
export class FrameBatch {
  readonly byteLength: number;
  readonly #previous: FrameBatch | undefined;
  readonly #frame: Buffer | undefined;
  /** The batch that was last built from this one. */
  #next: FrameBatch | undefined;
  #bytes: Buffer | undefined;

  private constructor(previous?: FrameBatch, frame?: Buffer) {
    this.byteLength = (previous?.byteLength ?? 0) + (frame?.length ?? 0);
    this.#previous = previous;
    this.#frame = frame;
  }

  static empty(): FrameBatch {
    return new FrameBatch();
  }

  /** This batch with one more frame. */
  with(frame: Buffer): FrameBatch {
    const next = this.#next;
    if (next !== undefined && next.#frame === frame) return next;
    this.#next = new FrameBatch(this, frame);
    return this.#next;
  }

  /** All frames, concatenated. */
  get bytes(): Buffer {
    this.#bytes ??= this.#concat();
    return this.#bytes;
  }

  #concat(): Buffer {
    const frames: Buffer[] = [];
    for (let batch: FrameBatch | undefined = this; batch !== undefined; batch = batch.#previous)
      if (batch.#frame) frames.push(batch.#frame);
    const [only] = frames;
    return only && frames.length === 1 ? only : Buffer.concat(frames.reverse(), this.byteLength);
  }
}
