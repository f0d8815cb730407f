import { scheduleDispatch } from "./schedule-dispatch.ts";

const DEFAULT_WINDOW_MS = 2;

interface Round<Answer> {
  names: Set<string>;
  answer: Promise<Answer>;
  /** No more names will come. */
  close(): void;
}

/**
 * Joins what is asked in quick succession, or while an earlier call is under way, into one call: people who arrive
 * together are asked about together, and the more so the busier all are. Who comes alone waits for nobody.
 */
export class CallBatcher<Answer> {
  readonly #call: (names: readonly string[]) => Promise<Answer>;
  readonly #maxNames: number;
  readonly #windowMs: number;
  #round: Round<Answer> | undefined;
  /** Settles, and never fails, when the latest call has been answered. */
  #underWay: Promise<unknown> = Promise.resolve();
  #windowEndMs = Number.NEGATIVE_INFINITY;

  /**
   * @param call answers for many names, each of which it is given once
   * @param maxNames from so many on, whoever comes next is of another call
   * @param windowMs after one call has begun the next waits for so long: what costs is the call, not what it asks for
   */
  constructor(
    call: (names: readonly string[]) => Promise<Answer>,
    maxNames: number,
    windowMs: number = DEFAULT_WINDOW_MS,
  ) {
    this.#call = call;
    this.#maxNames = maxNames;
    this.#windowMs = windowMs;
  }

  /** @returns the answer to all who asked together; it is rejected for all of them if the call is */
  ask(names: Iterable<string>): Promise<Answer> {
    this.#round ??= this.#begin();
    const round = this.#round;
    for (const name of names) round.names.add(name);
    if (round.names.size >= this.#maxNames) {
      this.#round = undefined;
      round.close();
    }
    return round.answer;
  }

  #begin(): Round<Answer> {
    const names = new Set<string>();
    let close = () => {};
    const closed = new Promise<void>((resolve) => {
      close = resolve;
      scheduleDispatch(resolve, this.#windowEndMs);
    });
    const answer = Promise.all([this.#underWay, closed]).then(() => {
      if (this.#round?.names === names) this.#round = undefined;
      this.#windowEndMs = performance.now() + this.#windowMs;
      return this.#call([...names]);
    });
    this.#underWay = answer.catch(() => {});
    return { names, answer, close };
  }
}
