import { Violation } from "../violation.ts";

/** What each client's servers have vouched for, in true time: what the platform may and must announce. */
export class Expectations {
  /** By client and server: until when, in ms of virtual time. */
  #vouchedUntil = new Map<string, Map<string, number>>();
  /** Clients that another program, or a sign-out, may have ended since they came online. */
  #mayLeave = new Set<string>();
  /** When each client signed out last, in ms: a heartbeat from before does not count. */
  #signedOutMs = new Map<string, number>();

  /** A heartbeat of `atMs` was written that keeps the client's lease until `untilMs`. */
  vouch(client: string, server: string, atMs: number, untilMs: number): void {
    if (atMs < (this.#signedOutMs.get(client) ?? 0)) return;
    const servers = this.#vouchedUntil.get(client) ?? new Map<string, number>();
    servers.set(server, Math.max(untilMs, servers.get(server) ?? 0));
    this.#vouchedUntil.set(client, servers);
  }

  /** The client signed out at the server. */
  signOut(client: string, server: string, nowMs: number): void {
    this.#signedOutMs.set(client, nowMs);
    this.#vouchedUntil.get(client)?.delete(server);
    this.#mayLeave.add(client);
  }

  /** Another program touched the client's lease: whatever was vouched for need not hold any more. */
  touchLease(client: string): void {
    this.#vouchedUntil.delete(client);
    this.#mayLeave.add(client);
  }

  /**
   * Checks an announcement of `OFFLINE`.
   *
   * @throws {Violation}
   */
  checkOffline(client: string, reason: string, nowMs: number): void {
    if (reason === "left" && !this.#mayLeave.has(client)) {
      throw new Violation("false-offline", `${client} is announced as "left", but nothing ended its lease`);
    }
    for (const [server, untilMs] of this.#vouchedUntil.get(client) ?? []) {
      if (untilMs <= nowMs) continue;
      throw new Violation(
        "false-offline",
        `${client} is announced as OFFLINE (${reason}) at ${nowMs} ms, but ${server} vouches for it until ${untilMs} ms`,
      );
    }
    this.#mayLeave.delete(client);
  }

  clone(): Expectations {
    const copy = new Expectations();
    copy.#vouchedUntil = structuredClone(this.#vouchedUntil);
    copy.#mayLeave = new Set(this.#mayLeave);
    copy.#signedOutMs = new Map(this.#signedOutMs);
    return copy;
  }
}
