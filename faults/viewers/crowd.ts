import { setTimeout as sleep } from "node:timers/promises";
import type { ClientId } from "@presence/protocol";
import { onTestFinished } from "vitest";
import { departures, differences, violations } from "../check/verdict.ts";
import type { PresenceServer } from "../platform/presence-server.ts";
import { until } from "./until.ts";
import { type Address, Viewer, type ViewerOptions } from "./viewer.ts";

const OPENED_AT_ONCE = 50;
/** How often what is seen and what is true are compared, where they should come to be the same. */
const COMPARISON_MS = 100;

export interface CrowdOptions {
  /** How many people there are; `person-0` and so on. */
  size: number;
  /** How many contacts each has: the next ones in the row, which is a circle. */
  contacts: number;
  /** Where a person connects; by default at any of the servers that run, at random. */
  route?: (client: ClientId) => Address | undefined;
  onChange?: ViewerOptions["onChange"];
  onEnd?: ViewerOptions["onEnd"];
}

/** What people come to: servers, and a Redis that knows what is true. */
export interface CrowdPlatform {
  readonly servers: readonly PresenceServer[];
  /** Writes contact lists, before their owners connect. */
  writeContacts(contactsOf: ReadonlyMap<ClientId, readonly ClientId[]>): Promise<void>;
  /** Who has a lease now. */
  leases(): Promise<Set<ClientId>>;
}

/** People who all look at some of the others. */
export class Crowd {
  readonly viewers: readonly Viewer[];
  readonly #platform: CrowdPlatform;
  readonly #witnesses: Viewer[] = [];
  readonly #contactsOf: ReadonlyMap<ClientId, readonly ClientId[]>;

  private constructor(platform: CrowdPlatform, options: CrowdOptions) {
    this.#platform = platform;
    this.#contactsOf = circle(options.size, options.contacts);
    const route = options.route ?? (() => anyRunning(platform));
    this.viewers = [...this.#contactsOf.keys()].map(
      (client) => new Viewer({ client, route: () => route(client), onChange: options.onChange, onEnd: options.onEnd }),
    );
  }

  /** Writes the contact lists and connects everybody; resolves when each sees all their contacts online. */
  static async gather(platform: CrowdPlatform, options: CrowdOptions): Promise<Crowd> {
    const crowd = new Crowd(platform, options);
    onTestFinished(() => {
      for (const viewer of [...crowd.viewers, ...crowd.#witnesses]) viewer.close();
    });
    await platform.writeContacts(crowd.#contactsOf);
    for (let start = 0; start < crowd.viewers.length; start += OPENED_AT_ONCE) {
      const some = crowd.viewers.slice(start, start + OPENED_AT_ONCE);
      for (const viewer of some) viewer.open();
      await until("the streams begin", () => some.every(({ isLive }) => isLive));
    }
    await crowd.untilRight();
    return crowd;
  }

  /** Somebody beside the crowd who looks at these people from one place; resolves when they are seen. */
  async addWitness(address: Address, contacts: readonly ClientId[]): Promise<Viewer> {
    const client = `witness-${this.#witnesses.length + 1}`;
    await this.#platform.writeContacts(new Map([[client, contacts]]));
    const witness = new Viewer({ client, route: () => address });
    this.#witnesses.push(witness);
    witness.open();
    await until("the witness sees them", () =>
      contacts.every((contact) => witness.picture.statusOf(contact) === "ONLINE"),
    );
    return witness;
  }

  get clients(): ClientId[] {
    return [...this.#contactsOf.keys()];
  }

  contactsOf(viewer: ClientId): readonly ClientId[] {
    return this.#contactsOf.get(viewer) ?? [];
  }

  /** Who went before anyone's eyes, of those named or of all; in words. */
  departures(of: Iterable<ClientId> = this.clients): string[] {
    return departures(this.#pictures(), new Set(of));
  }

  /** What was wrong with what anyone was told, in words. */
  violations(): string[] {
    return violations(this.#pictures());
  }

  /**
   * Resolves when everyone who looks sees what is true.
   *
   * @returns how long it took, in ms
   */
  async untilRight({ patienceMs = 60_000 }: { patienceMs?: number } = {}): Promise<number> {
    const startMs = performance.now();
    for (;;) {
      const wrong = await this.differences();
      if (wrong.length === 0) return performance.now() - startMs;
      if (performance.now() - startMs > patienceMs) {
        throw new Error(
          `After ${patienceMs} ms ${wrong.length} things are seen wrongly: ${wrong.slice(0, 5).join("; ")}`,
        );
      }
      await sleep(COMPARISON_MS);
    }
  }

  /** Where what those who look see differs from the leases in Redis, in words. */
  async differences(): Promise<string[]> {
    const leases = await this.#platform.leases();
    const looking = this.viewers.filter(({ isLive }) => isLive).map(({ picture }) => picture);
    return differences(looking, (viewer) => this.contactsOf(viewer), leases);
  }

  #pictures() {
    return [...this.viewers, ...this.#witnesses].map(({ picture }) => picture);
  }
}

/** Any server that runs, as a proxy that looks after its servers chooses one. */
function anyRunning({ servers }: CrowdPlatform): Address | undefined {
  const running = servers.filter(({ isRunning }) => isRunning);
  return running[Math.floor(Math.random() * running.length)];
}

function circle(size: number, contacts: number): Map<ClientId, ClientId[]> {
  const ids = Array.from({ length: size }, (_, index) => `person-${index}`);
  const lists = ids.map((id, index): [ClientId, ClientId[]] => [
    id,
    Array.from({ length: contacts }, (_, step) => ids[(index + step + 1) % size] ?? id),
  ]);
  return new Map(lists);
}
