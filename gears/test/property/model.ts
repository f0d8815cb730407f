import type { Announcement } from "../platform.ts";

/** How a test interval begins and ends, by Redis's clock, in ms. */
export interface Span {
  fromMs: number;
  toMs: number;
}

/** Where a lease ended so close to a command that either order would be right. */
export class Ambiguous extends Error {}

interface ClientState {
  isOnline: boolean;
  /** When its last status began, in ms; 0 for never. */
  sinceMs: number;
  /** Until when which server vouches for it. */
  vouchers: Map<string, number>;
  /** Who has the lease, or had it last. */
  holder: string;
  /** The server that counts when its lease runs out. */
  server: string;
}

const OUTAGE_INTERVALS = 0.3;
const LEAST_OUTAGE_MS = 250;
const HOLD_INTERVALS = 1.25;

/**
 * What the platform has to tell, in its simplest form: a map, a clock and no Redis.
 *
 * It doesn't predict when Redis happens to notice an end; it judges what was told of each command: whether all of that
 * was allowed, and nothing lacks.
 */
export class Model {
  readonly #intervalMs: number;
  readonly #leaseMs: number;
  readonly #clients = new Map<string, ClientState>();
  readonly #servers = new Map<string, number>();
  #holdMs = 0;
  #clockMs: number | undefined;
  #told: Announcement[] = [];

  constructor(intervalMs: number, leaseMs: number) {
    this.#intervalMs = intervalMs;
    this.#leaseMs = leaseMs;
  }

  /** Clients that are online, and when their leases end. */
  online(): Map<string, number> {
    const online = [...this.#clients].filter(([, { isOnline }]) => isOnline);
    return new Map(online.map(([client, state]) => [client, deadlineOf(state)]));
  }

  heartbeat(server: string, clients: readonly string[], atMs: number, span: Span, told: Announcement[]): void {
    this.#begin(told);
    const deadlineMs = atMs + this.#leaseMs;
    if (isWithin(span, deadlineMs)) throw new Ambiguous();
    if (deadlineMs > span.toMs) {
      this.#servers.set(server, Math.max(deadlineMs, this.#servers.get(server) ?? 0));
      for (const client of clients) this.#renew(client, server, atMs, deadlineMs, span);
    }
    this.#finish();
  }

  /** @param endMs when the new lease ends */
  setByHand(client: string, endMs: number, span: Span, told: Announcement[]): void {
    this.#begin(told);
    if (endMs <= span.toMs) throw new Ambiguous();
    this.#vouch(client, "by-hand", endMs, span);
    this.#finish();
  }

  /** @param wasThere whether there was a lease to delete */
  deleteByHand(client: string, wasThere: boolean, span: Span, told: Announcement[]): void {
    this.#begin(told);
    const state = this.#state(client);
    if (wasThere && state.isOnline) {
      if (isWithin(span, deadlineOf(state))) throw new Ambiguous();
      this.#expectLeft(client);
    }
    this.#finish();
  }

  /** @param recordedMs since when the client is offline, where it is */
  leave(server: string, client: string, recordedMs: number, span: Span, told: Announcement[]): void {
    this.#begin(told);
    const state = this.#state(client);
    if (!state.isOnline) {
      state.sinceMs = recordedMs;
      this.#finish();
      return;
    }
    for (const endMs of state.vouchers.values()) if (isWithin(span, endMs)) throw new Ambiguous();
    state.vouchers.delete(server);
    const others = [...state.vouchers].filter(([, endMs]) => endMs > span.toMs).toSorted(([, a], [, b]) => b - a);
    // Who holds the lease keeps it, be it that another vouches for just as long.
    const isHolderThere = others.some(([each]) => each === state.holder);
    const other = isHolderThere ? state.holder : others[0]?.[0];
    if (other !== undefined) {
      state.holder = other;
      state.server = other;
    } else this.#expectLeft(client);
    this.#finish();
  }

  /** @param isDone whether nothing that was due has been left for another sweep */
  sweep({ nowMs, isDone }: { nowMs: number; isDone: boolean }, told: Announcement[]): void {
    this.#begin(told);
    if (this.#isOutageAt(nowMs)) this.#holdMs = nowMs + Math.ceil(HOLD_INTERVALS * this.#intervalMs);
    this.#clockMs = nowMs;
    this.#finish();
    if (this.#holdMs > nowMs || !isDone) return;
    for (const [client, endMs] of this.online()) {
      if (endMs <= nowMs) throw new Error(`the end of ${client}'s lease at ${endMs} was missed by a sweep at ${nowMs}`);
    }
  }

  #renew(client: string, server: string, atMs: number, deadlineMs: number, span: Span): void {
    const state = this.#state(client);
    if (!state.isOnline && atMs < state.sinceMs) return;
    this.#vouch(client, server, deadlineMs, span);
  }

  #vouch(client: string, server: string, deadlineMs: number, span: Span): void {
    const state = this.#state(client);
    if (!state.isOnline) this.#expectOnline(client, span);
    const previousMs = deadlineOf(state);
    const isHeldLonger = state.isOnline && state.holder !== server && previousMs > deadlineMs;
    if (!state.isOnline) {
      Object.assign(state, { isOnline: true, vouchers: new Map(), server });
    }
    if (!isHeldLonger) {
      // The server counts from its move on; a lease by hand in its own name's place is no move.
      if (server !== "by-hand") state.server = server;
      state.holder = server;
    }
    state.vouchers.set(server, deadlineMs);
  }

  #expectOnline(client: string, span: Span): void {
    const event = this.#told.shift();
    if (event?.client !== client || event.status !== "ONLINE" || event.reason !== "connected") {
      throw new Error(`${client} should be told ONLINE, and not ${JSON.stringify(event)}`);
    }
    if (event.at < span.fromMs || event.at > span.toMs) throw new Error(`ONLINE of ${client} is told of another time`);
    this.#state(client).sinceMs = event.at;
  }

  #expectLeft(client: string): void {
    const event = this.#told.shift();
    if (event?.client !== client || event.status !== "OFFLINE" || event.reason !== "left" || event.due !== undefined) {
      throw new Error(`${client} should be told OFFLINE, as having left, and not ${JSON.stringify(event)}`);
    }
    this.#end(client, event.at);
  }

  /** What Redis, or a trigger, noticed before the command was done. */
  #begin(told: Announcement[]): void {
    this.#told = told;
    this.#takeEnds();
  }

  #finish(): void {
    this.#takeEnds();
    if (this.#told.length > 0) throw new Error(`this should not be told: ${JSON.stringify(this.#told)}`);
  }

  #takeEnds(): void {
    for (let [event] = this.#told; event && this.#isEnd(event); [event] = this.#told) {
      this.#told.shift();
      this.#end(event.client, event.at);
    }
  }

  /** Whether it tells rightly of a lease that ran out. */
  #isEnd({ client, status, reason, at, due }: Announcement): boolean {
    const state = this.#state(client);
    const isHeld = this.#holdMs > at || this.#isOutageAt(at);
    const isServerLost = (this.#servers.get(state.server) ?? 0) <= at;
    return (
      status === "OFFLINE" &&
      state.isOnline &&
      due === deadlineOf(state) &&
      due <= at &&
      !isHeld &&
      reason === (isServerLost ? "server-lost" : "timed-out")
    );
  }

  #isOutageAt(ms: number): boolean {
    const silenceMs = Math.max(OUTAGE_INTERVALS * this.#intervalMs, LEAST_OUTAGE_MS);
    return this.#clockMs !== undefined && ms - this.#clockMs > silenceMs;
  }

  #end(client: string, atMs: number): void {
    Object.assign(this.#state(client), { isOnline: false, sinceMs: atMs, vouchers: new Map() });
  }

  #state(client: string): ClientState {
    let state = this.#clients.get(client);
    if (!state) {
      state = { isOnline: false, sinceMs: 0, vouchers: new Map(), holder: "", server: "" };
      this.#clients.set(client, state);
    }
    return state;
  }
}

function deadlineOf({ vouchers, holder }: ClientState): number {
  return vouchers.get(holder) ?? 0;
}

function isWithin({ fromMs, toMs }: Span, ms: number): boolean {
  return ms >= fromMs && ms <= toMs;
}
