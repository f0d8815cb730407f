import type { ClientId } from "@presence/protocol";

/**
 * Detects that the browser behind a response is gone.
 *
 * SSE is one-way: if a browser's network disappears without closing the connection, the server sees only a quiet reader.
 * So a browser chooses a random ping id for its response and pings under it. A response without a ping id (`curl`,
 * `EventSource`) has no watchdog and depends on TCP.
 */
export class PingWatchdog {
  readonly pingId: string;
  /** The clients whose streams the response carries. */
  readonly clients = new Set<ClientId>();
  #lastPingMs: number;

  constructor(pingId: string, nowMs: number) {
    this.pingId = pingId;
    this.#lastPingMs = nowMs;
  }

  reset(nowMs: number): void {
    this.#lastPingMs = nowMs;
  }

  silenceMs(nowMs: number): number {
    return nowMs - this.#lastPingMs;
  }
}

/** All watchdogs of a server. Ping ids are chosen by browsers, so several responses may have the same one. */
export class PingWatchdogs {
  readonly #byPingId = new Map<string, Set<PingWatchdog>>();

  add(pingId: string): PingWatchdog {
    const watchdog = new PingWatchdog(pingId, performance.now());
    const watchdogs = this.#byPingId.get(pingId);
    if (watchdogs) watchdogs.add(watchdog);
    else this.#byPingId.set(pingId, new Set([watchdog]));
    return watchdog;
  }

  remove(watchdog: PingWatchdog): void {
    const watchdogs = this.#byPingId.get(watchdog.pingId);
    watchdogs?.delete(watchdog);
    if (watchdogs?.size === 0) this.#byPingId.delete(watchdog.pingId);
  }

  /** @returns whether a response with this ping id carries the client's stream */
  ping(pingId: string, client: ClientId): boolean {
    const pinged = [...(this.#byPingId.get(pingId) ?? [])].filter(({ clients }) => clients.has(client));
    for (const watchdog of pinged) watchdog.reset(performance.now());
    return pinged.length > 0;
  }

  resetAll(nowMs: number): void {
    for (const watchdogs of this.#byPingId.values()) for (const watchdog of watchdogs) watchdog.reset(nowMs);
  }
}
