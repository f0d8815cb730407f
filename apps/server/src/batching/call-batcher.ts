import { scheduleDispatch } from "./schedule-dispatch.ts";

const DEFAULT_WINDOW_MS = 2;

interface Batch<Result> {
  keys: Set<string>;
  result: Promise<Result>;
  /** Accepts no more keys, and does not wait for the end of the batching window. */
  close(): void;
}

/**
 * Combines requests into one call per batch, with each key once. A batch collects the requests that arrive within the
 * batching window or while the previous call is pending, so batches grow with the load. A single request waits for no
 * window.
 */
export class CallBatcher<Result> {
  readonly #call: (keys: readonly string[]) => Promise<Result>;
  readonly #maxBatchSize: number;
  readonly #windowMs: number;
  #batch: Batch<Result> | undefined;
  /** Resolves when the latest call has settled. */
  #pendingCall: Promise<unknown> = Promise.resolve();
  #windowEndMs = Number.NEGATIVE_INFINITY;

  /**
   * @param maxBatchSize a batch with this many keys accepts no more requests; the last request may exceed it
   * @param windowMs minimum time between the starts of two calls: the cost is the call, not its number of keys
   */
  constructor(
    call: (keys: readonly string[]) => Promise<Result>,
    maxBatchSize: number,
    windowMs: number = DEFAULT_WINDOW_MS,
  ) {
    this.#call = call;
    this.#maxBatchSize = maxBatchSize;
    this.#windowMs = windowMs;
  }

  /** @returns the result of the whole batch; rejected for all requests of a batch whose call fails */
  load(keys: Iterable<string>): Promise<Result> {
    this.#batch ??= this.#createBatch();
    const batch = this.#batch;
    for (const key of keys) batch.keys.add(key);
    if (batch.keys.size >= this.#maxBatchSize) {
      this.#batch = undefined;
      batch.close();
    }
    return batch.result;
  }

  #createBatch(): Batch<Result> {
    const keys = new Set<string>();
    let close = () => {};
    const closed = new Promise<void>((resolve) => {
      close = resolve;
      scheduleDispatch(resolve, this.#windowEndMs);
    });
    const result = Promise.all([this.#pendingCall, closed]).then(() => {
      if (this.#batch?.keys === keys) this.#batch = undefined;
      this.#windowEndMs = performance.now() + this.#windowMs;
      return this.#call([...keys]);
    });
    this.#pendingCall = result.catch(() => {});
    return { keys, result, close };
  }
}
