import { setTimeout as sleep } from "node:timers/promises";
import type { ClientId } from "@presence/protocol";
import { type PresenceServer, waitFor } from "@presence/testkit";
import { expect, onTestFinished } from "vitest";
import { departures, differences, violations } from "../check/checks.ts";
import { type Address, Viewer, type ViewerOptions } from "./viewer.ts";

/** Viewers that connect at the same time. */
const CONNECT_BATCH = 50;
/** Pause between two comparisons of viewers and leases, in ms. */
const COMPARISON_INTERVAL_MS = 100;
const CONVERGENCE_LIMIT_MS = 60_000;

export interface LoadOptions {
  /** Number of viewers; they are `person-0` and so on. */
  size: number;
  /** Contacts of each viewer: the next ones in the list, which is a circle. */
  contacts: number;
  /** The server for a client; by default a random one that runs. */
  route?: (client: ClientId) => Address | undefined;
  onChange?: ViewerOptions["onChange"];
  onEnd?: ViewerOptions["onEnd"];
}

/** Servers under load, and the leases in their Redis. */
export interface LoadTarget {
  readonly servers: readonly PresenceServer[];
  /** Writes contact documents. */
  writeContacts(contactsOf: ReadonlyMap<ClientId, readonly ClientId[]>): Promise<void>;
  /** The clients that have a lease now. */
  leases(): Promise<Set<ClientId>>;
}

/** Viewers that are each other's contacts. */
export class Load {
  readonly viewers: readonly Viewer[];
  readonly #target: LoadTarget;
  readonly #observers: Viewer[] = [];
  readonly #contactsOf: ReadonlyMap<ClientId, readonly ClientId[]>;

  private constructor(target: LoadTarget, options: LoadOptions) {
    const { onChange, onEnd, route = () => randomServer(target) } = options;
    this.#target = target;
    this.#contactsOf = circle(options.size, options.contacts);
    this.viewers = this.clients.map((client) => new Viewer({ client, route: () => route(client), onChange, onEnd }));
  }

  /** Writes the contact lists and connects the viewers. Resolves when each sees all its contacts online. */
  static async start(target: LoadTarget, options: LoadOptions): Promise<Load> {
    const load = new Load(target, options);
    onTestFinished(() => {
      for (const viewer of load.#all()) viewer.close();
    });
    await target.writeContacts(load.#contactsOf);
    for (let start = 0; start < load.viewers.length; start += CONNECT_BATCH) {
      const batch = load.viewers.slice(start, start + CONNECT_BATCH);
      for (const viewer of batch) viewer.open();
      await load.waitUntilLive(batch);
    }
    await load.waitUntilCorrect();
    return load;
  }

  /** Connects a further viewer with these contacts to one server. Resolves when it sees all of them online. */
  async addObserver(address: Address, contacts: readonly ClientId[]): Promise<Viewer> {
    const client = `observer-${this.#observers.length + 1}`;
    await this.#target.writeContacts(new Map([[client, contacts]]));
    const observer = new Viewer({ client, route: () => address });
    this.#observers.push(observer);
    observer.open();
    await waitFor("the observer sees all its contacts", () =>
      contacts.every((contact) => observer.state.statusOf(contact) === "ONLINE"),
    );
    return observer;
  }

  get clients(): ClientId[] {
    return [...this.#contactsOf.keys()];
  }

  contactsOf(viewer: ClientId): readonly ClientId[] {
    return this.#contactsOf.get(viewer) ?? [];
  }

  /** Splits the viewers: every `step`th is to leave during the fault. */
  split(step: number): { leavers: Viewer[]; stayers: Viewer[] } {
    const isLeaver = (index: number) => index % step === 0;
    return {
      leavers: this.viewers.filter((_, index) => isLeaver(index)),
      stayers: this.viewers.filter((_, index) => !isLeaver(index)),
    };
  }

  /** @returns how long it took, in ms */
  waitUntilLive(viewers: readonly Viewer[]): Promise<number> {
    return waitFor("the viewers have live streams", () => viewers.every(({ isLive }) => isLive));
  }

  /** Resolves when all or none of these clients have a lease. */
  waitForLeases(viewers: readonly Viewer[], expected: "all" | "none"): Promise<number> {
    return waitFor(`${expected} of ${viewers.length} clients have leases`, async () => {
      const leases = await this.#target.leases();
      return viewers.every(({ client }) => leases.has(client) === (expected === "all"));
    });
  }

  /**
   * Resolves when all live viewers agree with the leases in Redis.
   *
   * @returns how long it took, in ms
   */
  async waitUntilCorrect(): Promise<number> {
    const startMs = performance.now();
    for (;;) {
      const wrong = await this.#differences();
      const elapsedMs = performance.now() - startMs;
      if (wrong.length === 0) return elapsedMs;
      if (elapsedMs > CONVERGENCE_LIMIT_MS) {
        throw new Error(
          `After ${CONVERGENCE_LIMIT_MS} ms, ${wrong.length} statuses are wrong: ${wrong.slice(0, 5).join("; ")}`,
        );
      }
      await sleep(COMPARISON_INTERVAL_MS);
    }
  }

  /** What viewers saw of these clients going OFFLINE. */
  departuresOf(clients: Iterable<ClientId>): string[] {
    return departures(this.#states(), new Set(clients));
  }

  /** Expects that no viewer received anything invalid, and that none saw one of these clients go OFFLINE. */
  expectNoFalseEvents(stayers: Iterable<ClientId | Viewer> = this.clients): void {
    expect(violations(this.#states()), "violations of the protocol").toEqual([]);
    const clients = [...stayers].map((stayer) => (typeof stayer === "string" ? stayer : stayer.client));
    expect(this.departuresOf(clients), "false OFFLINE events").toEqual([]);
  }

  async #differences(): Promise<string[]> {
    const leases = await this.#target.leases();
    const states = this.viewers.filter(({ isLive }) => isLive).map(({ state }) => state);
    return differences(states, (viewer) => this.contactsOf(viewer), leases);
  }

  #all(): Viewer[] {
    return [...this.viewers, ...this.#observers];
  }

  #states() {
    return this.#all().map(({ state }) => state);
  }
}

/** A random server that runs, as a proxy with health checks chooses one. */
export function randomServer({ servers }: Pick<LoadTarget, "servers">): PresenceServer | undefined {
  const running = servers.filter(({ isRunning }) => isRunning);
  return running[Math.floor(Math.random() * running.length)];
}

/** The number at the end of an id such as `person-12`. */
export function numberOf(client: ClientId): number {
  return Number(client.split("-").at(-1));
}

function circle(size: number, contacts: number): Map<ClientId, ClientId[]> {
  const ids = Array.from({ length: size }, (_, index) => `person-${index}`);
  const next = (index: number, step: number) => ids[(index + step) % size] ?? "";
  return new Map(ids.map((id, index) => [id, Array.from({ length: contacts }, (_, step) => next(index, step + 1))]));
}
