/** Times of the platform, in ms: the same for everyone who works on one Redis. */
export interface Timing {
  /** `d` */
  heartbeatIntervalMs: number;
  leaseMs: number;
}

const LEASE_INTERVALS = 1.5;

export function timingOf(heartbeatIntervalMs: number): Timing {
  return { heartbeatIntervalMs, leaseMs: Math.ceil(LEASE_INTERVALS * heartbeatIntervalMs) };
}
