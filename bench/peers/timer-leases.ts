/** Leases as one would write them first: a timer for each client, set back at each heartbeat. */
export class TimerLeases {
  readonly #leaseMs: number;
  readonly #onExpired: (client: string) => void;
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #connected = new Set<string>();

  constructor(heartbeatIntervalMs: number, onExpired: (client: string) => void) {
    this.#leaseMs = 1.5 * heartbeatIntervalMs;
    this.#onExpired = onExpired;
    setInterval(() => {
      for (const client of this.#connected) this.#timers.get(client)?.refresh();
    }, heartbeatIntervalMs);
  }

  /** @returns whether the client had no lease */
  connect(client: string): boolean {
    this.#connected.add(client);
    const timer = this.#timers.get(client);
    timer?.refresh();
    if (timer) return false;
    const newTimer = setTimeout(() => {
      this.#timers.delete(client);
      this.#onExpired(client);
    }, this.#leaseMs);
    this.#timers.set(client, newTimer);
    return true;
  }

  disconnect(client: string): void {
    this.#connected.delete(client);
  }
}
