/**
 * The value that a share of all values don't exceed (nearest rank).
 *
 * @param share from 0 to 1
 * @throws where there are no values
 */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  const value = sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1];
  if (value === undefined) throw new Error("Of no values there is no percentile.");
  return value;
}
