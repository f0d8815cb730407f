import { setImmediate as nextTurn } from "node:timers/promises";

interface Round<Answer> {
  names: Set<string>;
  answer: Promise<Answer>;
}

/**
 * Joins what is asked in one turn of the event loop, or while an earlier call is under way, into one call: people who
 * arrive together are asked about together, and the more so the busier all are. Who comes alone waits for nobody.
 */
export class JoinedCalls<Answer> {
  readonly #call: (names: readonly string[]) => Promise<Answer>;
  readonly #maxNames: number;
  #round: Round<Answer> | undefined;
  /** Settles, and never fails, when the latest call has been answered. */
  #underWay: Promise<unknown> = Promise.resolve();

  /**
   * @param call answers for many names, each of which it is given once
   * @param maxNames from so many on, whoever comes next is of another call
   */
  constructor(call: (names: readonly string[]) => Promise<Answer>, maxNames: number) {
    this.#call = call;
    this.#maxNames = maxNames;
  }

  /** @returns the answer to all who asked together; it is rejected for all of them if the call is */
  ask(names: Iterable<string>): Promise<Answer> {
    this.#round ??= this.#begin();
    const round = this.#round;
    for (const name of names) round.names.add(name);
    if (round.names.size >= this.#maxNames) this.#round = undefined;
    return round.answer;
  }

  #begin(): Round<Answer> {
    const names = new Set<string>();
    const answer = Promise.all([this.#underWay, nextTurn()]).then(() => {
      if (this.#round?.names === names) this.#round = undefined;
      return this.#call([...names]);
    });
    this.#underWay = answer.catch(() => {});
    return { names, answer };
  }
}
