import { syncBuiltinESMExports } from "node:module";
import { install } from "@sinonjs/fake-timers";

/** All timers and clocks of this process, under the simulation's control until `uninstall`. */
export interface VirtualTime {
  /** ms since the simulation began. */
  nowMs(): number;
  /** Lets time pass, and everything happen that is due meanwhile, promises included. */
  pass(durationMs: number): Promise<void>;
  uninstall(): void;
}

const START_MS = 1_800_000_000_000;

/**
 * Replaces `setTimeout`, `setInterval`, `setImmediate`, `Date`, `performance.now` and `node:timers/promises`, and makes
 * `Math.random` a seeded generator.
 */
export function installVirtualTime(seed: number): VirtualTime {
  const { random } = Math;
  const clock = install({
    now: START_MS,
    toFake: [
      "setTimeout",
      "clearTimeout",
      "setInterval",
      "clearInterval",
      "setImmediate",
      "clearImmediate",
      "Date",
      "performance",
    ],
  });
  // Named imports of `node:timers/promises` are bindings of their own: they follow only when told to.
  syncBuiltinESMExports();
  Math.random = createRandom(seed);
  return {
    nowMs: () => clock.now - START_MS,
    async pass(durationMs) {
      await clock.tickAsync(durationMs);
    },
    uninstall() {
      clock.uninstall();
      syncBuiltinESMExports();
      Math.random = random;
    },
  };
}

/**
 * Pseudo-random numbers in [0, 1): mulberry32.
 *
 * @param seed any integer
 */
function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
