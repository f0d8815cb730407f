import { setTimeout as delay } from "node:timers/promises";
import { startBeside } from "../setup/child.mjs";
import { PlainError } from "../setup/plain-error.mjs";
import { isStopping } from "../setup/stop.mjs";

const READY_LIMIT_MS = 20_000;
const CHECK_INTERVAL_MS = 50;

/** One of the demo's processes: it is to run until the demo ends it. */
export class Part {
  /** @type {import("../setup/child.mjs").Started} */
  #started;
  /** @type {"starting" | "running" | "ending"} */
  #phase = "starting";
  /** What it wrote before it was ready; from then on its words are shown as they come. */
  #words = "";

  /**
   * @param {string} name
   * @param {string} file
   * @param {readonly string[]} args
   * @param {Record<string, string>} [env] added to ours
   */
  constructor(name, file, args, env = {}) {
    this.name = name;
    this.#started = startBeside(file, args, { env });
    const { child } = this.#started;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (/** @type {string} */ text) => this.#hear(text));
    }
    /** Resolves with what came of it, in words, when it has ended by itself. */
    this.ended = this.#started.ended.then(({ status, signal, problem }) => {
      if (isStopping()) {
        return new Promise(() => {});
      }
      const how = problem ?? (signal ? `${signal}` : `exit status ${status}`);
      return `${name} has ended (${how}).`;
    });
  }

  /**
   * Waits until it does its work. Throws a PlainError where it ends before, with its own words.
   * @param {(words: string) => boolean | Promise<boolean>} isReady asked again and again; gets what it has written
   */
  async untilReady(isReady) {
    const limit = performance.now() + READY_LIMIT_MS;
    let end = "";
    void this.ended.then((words) => {
      end = words;
    });
    while (!(await isReady(this.#words))) {
      if (end) {
        throw new PlainError(this.#words.trim() || end);
      }
      if (performance.now() > limit) {
        throw new PlainError(`${this.name} is not ready after ${READY_LIMIT_MS / 1_000} s.\n${this.#words.trim()}`);
      }
      await delay(CHECK_INTERVAL_MS);
    }
    this.#phase = "running";
    this.#words = "";
  }

  /** Ends it, if it still runs. */
  async end() {
    this.#phase = "ending";
    await this.#started.end();
  }

  /** @param {string} text */
  #hear(text) {
    if (this.#phase === "starting") {
      this.#words += text;
    } else if (this.#phase === "running") {
      process.stderr.write(text.replace(/^(?=.)/gm, `${this.name}: `));
    }
  }
}
