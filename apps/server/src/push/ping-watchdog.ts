import type { ClientId } from "@presence/protocol";

/**
 * The proof that the browser behind a response still lives.
 *
 * SSE is one-way: a browser whose network vanished without a close looks, from here, like a quiet one. So a browser
 * names its response with an id of its own choosing and pings under that name. A response without a name (`curl`,
 * `EventSource`) is left to TCP.
 */
export class PingWatchdog {
  readonly pingId: string;
  /** Whose streams the response carries. */
  readonly clients = new Set<ClientId>();
  #lastPingMs: number;

  constructor(pingId: string, nowMs: number) {
    this.pingId = pingId;
    this.#lastPingMs = nowMs;
  }

  ping(nowMs: number): void {
    this.#lastPingMs = nowMs;
  }

  silenceMs(nowMs: number): number {
    return nowMs - this.#lastPingMs;
  }
}
