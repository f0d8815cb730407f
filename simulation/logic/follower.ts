import type { StreamId } from "../redis/stream.ts";
import { Violation } from "../violation.ts";

const START: StreamId = { ms: 0, sequence: 0 };

/** One event as it stands on a server's stream. */
export interface StreamEvent {
  client: string;
  status: string;
  reason: string;
  version: number;
  sequence: number;
  epoch: string;
}

/** What the `read` function answers, as far as a follower needs it. */
export interface Reading {
  version: number;
  epoch: string;
  sequence: number;
  isKnown: boolean;
  /** The status of each client that was asked for. */
  statuses: ReadonlyMap<string, string>;
}

interface Known {
  status: string;
  /** Events up to this version are part of it. */
  version: number;
}

/**
 * A realtime server in its simplest form, as it follows its stream: a picture of the clients that it watches, and the
 * check that nothing is missing. Without I/O.
 */
export class Follower {
  readonly server: string;
  /** Watched names: clients, `*` or `?`. */
  readonly names = new Set<string>();
  /** Names that were watched at any time since the server started. */
  readonly #everWatched = new Set<string>();
  #picture = new Map<string, Known>();
  #epoch = "";
  #sequence = 0;
  #version = 0;
  cursor: StreamId = START;
  /** It was taken for an external server, whose interest follows from its clients' contact lists. */
  mayBeToldAll = false;

  constructor(server: string) {
    this.server = server;
  }

  statusOf(client: string): string {
    return this.#picture.get(client)?.status ?? "OFFLINE";
  }

  watch(name: string): void {
    this.names.add(name);
    this.#everWatched.add(name);
  }

  /** @param isCovered whether a client is still watched, by one of the names that are left */
  unwatch(name: string, isCovered: (client: string, names: ReadonlySet<string>) => boolean): void {
    this.names.delete(name);
    for (const client of [...this.#picture.keys()]) if (!isCovered(client, this.names)) this.#picture.delete(client);
  }

  /** @returns whether the reading shows that events are missing, so that a resync is needed */
  isOutdatedBy({ isKnown, epoch, sequence }: Reading): boolean {
    return !isKnown || epoch !== this.#epoch || sequence < this.#sequence;
  }

  /** Takes the statuses of clients that were not watched before. */
  learn({ version, statuses }: Reading): void {
    for (const [client, status] of statuses) {
      const known = this.#picture.get(client);
      if (known === undefined || known.version < version) this.#picture.set(client, { status, version });
    }
  }

  /** Replaces the picture. */
  resync(reading: Reading): void {
    if (reading.epoch !== this.#epoch || reading.sequence < this.#sequence) this.cursor = START;
    this.#picture = new Map();
    this.learn(reading);
    this.#epoch = reading.epoch;
    this.#sequence = reading.sequence;
    this.#version = reading.version;
  }

  /**
   * Applies the next event of the stream.
   *
   * @returns whether events are missing before it, so that a resync is needed
   * @throws {Violation}
   */
  apply(event: StreamEvent, isCovered: (client: string, names: ReadonlySet<string>) => boolean): boolean {
    const isOld = event.version <= this.#version;
    if (isOld || (event.epoch === this.#epoch && event.sequence <= this.#sequence)) return false;
    if (event.epoch !== this.#epoch || event.sequence !== this.#sequence + 1) return true;
    this.#sequence = event.sequence;
    if (!this.mayBeToldAll && !isCovered(event.client, this.#everWatched)) {
      throw new Violation("privacy", `${this.server} is told of ${event.client}, which it never watched`);
    }
    const known = this.#picture.get(event.client);
    if (known !== undefined && event.version <= known.version) return false;
    if (isCovered(event.client, this.names)) this.#note(event);
    return false;
  }

  #note({ client, status, version }: StreamEvent): void {
    if (this.statusOf(client) === status) {
      throw new Violation("alternation", `${this.server} is told ${status} of ${client} twice in a row`);
    }
    this.#picture.set(client, { status, version });
  }
}
