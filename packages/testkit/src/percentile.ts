/**
 * The smallest value that at least `share` of all values do not exceed (nearest-rank method).
 *
 * @param share from 0 to 1, for example 0.99 for p99
 * @returns `NaN` for no values
 */
export function percentile(values: Iterable<number>, share: number): number {
  const sorted = Float64Array.from(values).sort();
  const rank = Math.max(1, Math.ceil(share * sorted.length));
  return sorted[rank - 1] ?? Number.NaN;
}

/** The 50th percentile. */
export function median(values: Iterable<number>): number {
  return percentile(values, 0.5);
}
