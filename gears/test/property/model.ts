import type { PublishedEvent } from "../platform.ts";

/** The time span of a command, by Redis's clock, in ms. */
export interface Span {
  fromMs: number;
  toMs: number;
}

/** A lease ended during a command, so that both orders are correct and the model cannot decide. */
export class Ambiguous extends Error {}

interface ClientState {
  isOnline: boolean;
  /** When its last status began, in ms; 0 if it was never online. */
  sinceMs: number;
  /** The end of the lease of each server. */
  leases: Map<string, number>;
  /** The current or last holder of the lease. */
  holder: string;
  /** The server that decides the reason when the lease expires. */
  server: string;
}

const OUTAGE_INTERVALS = 0.3;
const MIN_OUTAGE_MS = 250;
const HOLD_INTERVALS = 1.25;

/**
 * A simple model of the platform: a map and a clock, without Redis.
 *
 * It does not predict when Redis detects the end of a lease. After each command, it checks that the published events are
 * allowed and complete.
 */
export class Model {
  readonly #intervalMs: number;
  readonly #leaseMs: number;
  readonly #clients = new Map<string, ClientState>();
  readonly #servers = new Map<string, number>();
  #holdMs = 0;
  #clockMs: number | undefined;
  #events: PublishedEvent[] = [];

  constructor(intervalMs: number, leaseMs: number) {
    this.#intervalMs = intervalMs;
    this.#leaseMs = leaseMs;
  }

  /** The online clients and the ends of their leases. */
  online(): Map<string, number> {
    const online = [...this.#clients].filter(([, { isOnline }]) => isOnline);
    return new Map(online.map(([client, state]) => [client, deadlineOf(state)]));
  }

  heartbeat(server: string, clients: readonly string[], atMs: number, span: Span, events: PublishedEvent[]): void {
    this.#begin(events);
    const deadlineMs = atMs + this.#leaseMs;
    if (isWithin(span, deadlineMs)) throw new Ambiguous();
    if (deadlineMs > span.toMs) {
      this.#servers.set(server, Math.max(deadlineMs, this.#servers.get(server) ?? 0));
      for (const client of clients) this.#renew(client, server, atMs, deadlineMs, span);
    }
    this.#finish();
  }

  /** @param endMs when the new lease ends */
  setLease(client: string, endMs: number, span: Span, events: PublishedEvent[]): void {
    this.#begin(events);
    if (endMs <= span.toMs) throw new Ambiguous();
    this.#setLeaseOf(client, "script", endMs, span);
    this.#finish();
  }

  /** @param existed whether the lease existed */
  deleteLease(client: string, existed: boolean, span: Span, events: PublishedEvent[]): void {
    this.#begin(events);
    const state = this.#state(client);
    if (existed && state.isOnline) {
      if (isWithin(span, deadlineOf(state))) throw new Ambiguous();
      this.#expectLeft(client);
    }
    this.#finish();
  }

  /** @param recordedMs when the client went offline, if it is offline */
  leave(server: string, client: string, recordedMs: number, span: Span, events: PublishedEvent[]): void {
    this.#begin(events);
    const state = this.#state(client);
    if (!state.isOnline) {
      state.sinceMs = recordedMs;
      this.#finish();
      return;
    }
    for (const endMs of state.leases.values()) if (isWithin(span, endMs)) throw new Ambiguous();
    state.leases.delete(server);
    const others = [...state.leases].filter(([, endMs]) => endMs > span.toMs).toSorted(([, a], [, b]) => b - a);
    // The holder keeps the lease, even if another server's lease ends at the same time.
    const isHolderLeft = others.some(([each]) => each === state.holder);
    const other = isHolderLeft ? state.holder : others[0]?.[0];
    if (other !== undefined) {
      state.holder = other;
      state.server = other;
    } else this.#expectLeft(client);
    this.#finish();
  }

  /** @param isDone whether the sweep ended everything that was due */
  sweep({ nowMs, isDone }: { nowMs: number; isDone: boolean }, events: PublishedEvent[]): void {
    this.#begin(events);
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
    this.#setLeaseOf(client, server, deadlineMs, span);
  }

  #setLeaseOf(client: string, server: string, deadlineMs: number, span: Span): void {
    const state = this.#state(client);
    if (!state.isOnline) this.#expectOnline(client, span);
    const previousMs = deadlineOf(state);
    const isHeldLonger = state.isOnline && state.holder !== server && previousMs > deadlineMs;
    if (!state.isOnline) {
      Object.assign(state, { isOnline: true, leases: new Map(), server });
    }
    if (!isHeldLonger) {
      // A heartbeat moves the client to its server. An externally created lease does not.
      if (server !== "script") state.server = server;
      state.holder = server;
    }
    state.leases.set(server, deadlineMs);
  }

  #expectOnline(client: string, span: Span): void {
    const event = this.#events.shift();
    if (event?.client !== client || event.status !== "ONLINE" || event.reason !== "connected") {
      throw new Error(`${client} should be published as ONLINE, but the event is ${JSON.stringify(event)}`);
    }
    if (event.at < span.fromMs || event.at > span.toMs) throw new Error(`ONLINE of ${client} has a wrong time`);
    this.#state(client).sinceMs = event.at;
  }

  #expectLeft(client: string): void {
    const event = this.#events.shift();
    if (event?.client !== client || event.status !== "OFFLINE" || event.reason !== "left" || event.due !== undefined) {
      throw new Error(
        `${client} should be published as OFFLINE with the reason left, but the event is ${JSON.stringify(event)}`,
      );
    }
    this.#end(client, event.at);
  }

  /** Takes the ends of leases that were published before the command. */
  #begin(events: PublishedEvent[]): void {
    this.#events = events;
    this.#takeEnds();
  }

  #finish(): void {
    this.#takeEnds();
    if (this.#events.length > 0) throw new Error(`unexpected event: ${JSON.stringify(this.#events)}`);
  }

  #takeEnds(): void {
    for (let [event] = this.#events; event && this.#isEnd(event); [event] = this.#events) {
      this.#events.shift();
      this.#end(event.client, event.at);
    }
  }

  /** Whether the event is a correct end of an expired lease. */
  #isEnd({ client, status, reason, at, due }: PublishedEvent): boolean {
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
    const silenceMs = Math.max(OUTAGE_INTERVALS * this.#intervalMs, MIN_OUTAGE_MS);
    return this.#clockMs !== undefined && ms - this.#clockMs > silenceMs;
  }

  #end(client: string, atMs: number): void {
    Object.assign(this.#state(client), { isOnline: false, sinceMs: atMs, leases: new Map() });
  }

  #state(client: string): ClientState {
    let state = this.#clients.get(client);
    if (!state) {
      state = { isOnline: false, sinceMs: 0, leases: new Map(), holder: "", server: "" };
      this.#clients.set(client, state);
    }
    return state;
  }
}

function deadlineOf({ leases, holder }: ClientState): number {
  return leases.get(holder) ?? 0;
}

function isWithin({ fromMs, toMs }: Span, ms: number): boolean {
  return ms >= fromMs && ms <= toMs;
}
