/**
 * The smallest value that at least this share of all values does not exceed (nearest rank).
 *
 * @param share from 0 to 1
 * @returns `NaN` without values
 */
export function percentile(values: Iterable<number>, share: number): number {
  const sorted = Float64Array.from(values).sort();
  const rank = Math.max(1, Math.ceil(share * sorted.length));
  return sorted[rank - 1] ?? Number.NaN;
}

export function median(values: Iterable<number>): number {
  return percentile(values, 0.5);
}
