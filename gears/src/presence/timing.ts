/** Durations of the platform, in ms. All servers and trigger hosts of one Redis use the same. */
export interface Timing {
  /** `d` */
  heartbeatIntervalMs: number;
  leaseMs: number;
}

const LEASE_INTERVALS = 1.5;

export function timingOf(heartbeatIntervalMs: number): Timing {
  return { heartbeatIntervalMs, leaseMs: Math.ceil(LEASE_INTERVALS * heartbeatIntervalMs) };
}
