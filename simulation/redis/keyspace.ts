import { wrongType } from "./reply.ts";
import { createStream, type Stream } from "./stream.ts";

/** Values by the name that `TYPE` gives to their type. */
export interface ValueTypes {
  string: string;
  hash: Map<string, string>;
  set: Set<string>;
  zset: Map<string, number>;
  stream: Stream;
}

export type ValueType = keyof ValueTypes;

interface Entry {
  type: ValueType;
  value: ValueTypes[ValueType];
  /** When the key expires, ms since the epoch by the server's clock. */
  expiresAtMs: number | undefined;
}

/** What keyspace notifications tell of. */
export type KeyEvent = "new" | "del" | "expired";

/** The contents of a database at one moment. */
export type Dump = ReadonlyMap<string, Readonly<Entry>>;

const CREATE: { [Type in ValueType]: () => ValueTypes[Type] } = {
  string: () => "",
  hash: () => new Map(),
  set: () => new Set(),
  zset: () => new Map(),
  stream: createStream,
};

/**
 * The keys of one database, with types and expiry.
 *
 * No command sees an expired key. The key is removed, with a notification, when a command accesses it or `expireSome`
 * finds it. As in Redis, the time of removal is not guaranteed.
 */
export class Keyspace {
  readonly #entries = new Map<string, Entry>();
  readonly #nowMs: () => number;
  readonly #onEvent: (event: KeyEvent, key: string) => void;

  constructor(nowMs: () => number, onEvent: (event: KeyEvent, key: string) => void = () => {}) {
    this.#nowMs = nowMs;
    this.#onEvent = onEvent;
  }

  /** How many keys are stored; those that have expired count until they are removed. */
  get size(): number {
    return this.#entries.size;
  }

  keys(): string[] {
    return [...this.#entries.keys()].filter((key) => this.#find(key) !== undefined);
  }

  typeOf(key: string): ValueType | undefined {
    return this.#find(key)?.type;
  }

  /** @throws {ReplyError} `WRONGTYPE` */
  get<Type extends ValueType>(type: Type, key: string): ValueTypes[Type] | undefined {
    const entry = this.#find(key);
    if (entry === undefined) return undefined;
    if (entry.type !== type) throw wrongType();
    return entry.value as ValueTypes[Type];
  }

  /**
   * As `get`; an absent key is created. The caller puts something into it, or calls `removeIfEmpty`.
   *
   * @throws {ReplyError} `WRONGTYPE`
   */
  getOrCreate<Type extends ValueType>(type: Type, key: string): ValueTypes[Type] {
    const existing = this.get(type, key);
    if (existing !== undefined) return existing;
    const value = CREATE[type]();
    this.#entries.set(key, { type, value, expiresAtMs: undefined });
    this.#onEvent("new", key);
    return value;
  }

  /** Sets a string, whatever was there before, with another expiry or none. */
  setString(key: string, value: string, expiresAtMs: number | undefined): void {
    const isNew = this.#find(key) === undefined;
    this.#entries.set(key, { type: "string", value, expiresAtMs });
    if (isNew) this.#onEvent("new", key);
    if (expiresAtMs !== undefined && expiresAtMs <= this.#nowMs()) this.delete(key);
  }

  /** @returns whether there was something to delete */
  delete(key: string): boolean {
    if (this.#find(key) === undefined) return false;
    this.#entries.delete(key);
    this.#onEvent("del", key);
    return true;
  }

  removeIfEmpty(key: string): void {
    const entry = this.#entries.get(key);
    if (entry !== undefined && isEmpty(entry)) {
      this.#entries.delete(key);
      this.#onEvent("del", key);
    }
  }

  /** @returns when the key expires, ms since the epoch; `undefined` for never; `null` where there is no such key */
  expiryOf(key: string): number | undefined | null {
    const entry = this.#find(key);
    return entry === undefined ? null : entry.expiresAtMs;
  }

  /** @returns whether there is such a key; one whose expiry lies in the past is deleted */
  expireAt(key: string, expiresAtMs: number): boolean {
    const entry = this.#find(key);
    if (entry === undefined) return false;
    entry.expiresAtMs = expiresAtMs;
    if (expiresAtMs <= this.#nowMs()) this.delete(key);
    return true;
  }

  /** Removes and announces up to `count` keys whose time has passed: Redis's active expiry cycle. */
  expireSome(count: number): void {
    let left = count;
    for (const [key, { expiresAtMs }] of this.#entries) {
      if (left <= 0) return;
      if (expiresAtMs === undefined || expiresAtMs >= this.#nowMs()) continue;
      this.#find(key);
      left -= 1;
    }
  }

  clear(): void {
    this.#entries.clear();
  }

  dump(): Dump {
    return structuredClone(this.#entries);
  }

  /** Replaces all keys, as after a restart from a file or a failover. */
  restore(dump: Dump): void {
    this.#entries.clear();
    for (const [key, entry] of structuredClone(dump)) this.#entries.set(key, { ...entry });
  }

  /** The entry, unless its time has passed: Redis still finds a key in the millisecond of its expiry. */
  #find(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry?.expiresAtMs !== undefined && entry.expiresAtMs < this.#nowMs()) {
      this.#entries.delete(key);
      this.#onEvent("expired", key);
      return undefined;
    }
    return entry;
  }
}

function isEmpty({ value }: Entry): boolean {
  if (typeof value === "string") return false;
  // A stream stays when it has no entries left.
  return "size" in value && value.size === 0;
}
