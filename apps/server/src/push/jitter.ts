export interface Range {
  min: number;
  max: number;
}

/** A random integer of the range, both ends included. Spreads retries and keep-alives over time. */
export function randomBetween({ min, max }: Range): number {
  return min + Math.floor(Math.random() * (max - min + 1));
}

export function clamp(value: number, { min, max }: Range): number {
  return Math.min(max, Math.max(min, value));
}
