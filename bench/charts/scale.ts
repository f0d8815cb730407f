/** Where figures lie along an axis. */
export interface Scale {
  /** From 0 at the axis's start to 1 at its end. */
  shareOf(value: number): number;
  /** Round figures along it, in rising order. */
  ticks: readonly number[];
}

const MOST_TICKS = 5;
/** So that the longest bar doesn't touch the end. */
const HEADROOM = 1.04;
const STEPS = [1, 2, 5, 10];

/**
 * From 0, or where it is logarithmic from the power of ten below the least, to a little more than the most.
 *
 * @param values finite, of which one is above 0; where it is logarithmic, all are
 */
export function scaleOf(values: readonly number[], isLogarithmic: boolean): Scale {
  return isLogarithmic ? logarithmic(values) : linear(Math.max(...values));
}

function linear(most: number): Scale {
  const end = most * HEADROOM;
  const least = end / MOST_TICKS;
  const power = 10 ** Math.floor(Math.log10(least));
  const step = power * (STEPS.find((factor) => factor * power >= least) ?? 10);
  const ticks = Array.from({ length: Math.floor(end / step) + 1 }, (_, index) =>
    Number((index * step).toPrecision(12)),
  );
  return { shareOf: (value) => value / end, ticks };
}

function logarithmic(values: readonly number[]): Scale {
  const first = Math.floor(Math.log10(Math.min(...values)));
  const end = Math.log10(Math.max(...values) * HEADROOM);
  const ticks = Array.from({ length: Math.floor(end) - first + 1 }, (_, index) => Number(`1e${first + index}`));
  return { shareOf: (value) => Math.max(0, (Math.log10(value) - first) / (end - first)), ticks };
}
