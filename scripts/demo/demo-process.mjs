import { setTimeout as delay } from "node:timers/promises";
import { startChild } from "../setup/child.mjs";
import { PlainError } from "../setup/plain-error.mjs";
import { isStopping } from "../setup/signals.mjs";

const READY_LIMIT_MS = 20_000;
const CHECK_INTERVAL_MS = 50;

/** One process of the demo. Once it is ready, its output is printed line by line with its name. */
export class DemoProcess {
  #child;
  /** @type {"starting" | "running" | "stopping"} */
  #phase = "starting";
  /** Until it is ready. */
  #output = "";

  /**
   * @param {string} name
   * @param {string} file
   * @param {readonly string[]} args
   * @param {Record<string, string>} [env]
   */
  constructor(name, file, args, env = {}) {
    this.name = name;
    this.#child = startChild(file, args, { env, stdio: ["ignore", "pipe", "pipe"], ownGroup: true });
    for (const stream of [this.#child.process.stdout, this.#child.process.stderr]) {
      stream?.setEncoding("utf8").on("data", (/** @type {string} */ text) => this.#onOutput(text));
    }
    /** Resolves with a sentence if the process ends before it is stopped. */
    this.ended = this.#child.ended.then(({ reason }) =>
      isStopping() ? new Promise(() => {}) : `${name} has ended (${reason}).`,
    );
  }

  /**
   * Waits until the process is ready. Throws a PlainError with its output if it ends before.
   * @param {(output: string) => boolean | Promise<boolean>} isReady
   */
  async waitUntil(isReady) {
    const deadline = performance.now() + READY_LIMIT_MS;
    let end = "";
    void this.ended.then((sentence) => {
      end = sentence;
    });
    while (!(await isReady(this.#output))) {
      if (end) {
        throw new PlainError(this.#output.trim() || end);
      }
      if (performance.now() > deadline) {
        throw new PlainError(`${this.name} is not ready after ${READY_LIMIT_MS / 1_000} s.\n${this.#output.trim()}`);
      }
      await delay(CHECK_INTERVAL_MS);
    }
    this.#phase = "running";
    this.#output = "";
  }

  async stop() {
    this.#phase = "stopping";
    await this.#child.stop();
  }

  /** @param {string} text */
  #onOutput(text) {
    if (this.#phase === "starting") {
      this.#output += text;
    } else if (this.#phase === "running") {
      process.stderr.write(text.replace(/^(?=.)/gm, `${this.name}: `));
    }
  }
}
