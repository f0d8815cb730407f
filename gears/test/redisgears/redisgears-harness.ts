import { readFile } from "node:fs/promises";
import type { PresenceLibrary } from "../../src/host/library.ts";
import { LibraryContext } from "./library-context.ts";
import {
  type Client,
  type KeySpaceTrigger,
  loadLibrary,
  type Registrations,
  type StreamTrigger,
} from "./registrations.ts";
import { isErrorReply, SynchronousRedis } from "./synchronous-redis.ts";

const BUILT_LIBRARY = new URL("../../dist/presence.redisgears.js", import.meta.url);
/** Around each command of the library, in one transaction, so that what comes between was caused by it. */
const OWN_WRITES_CHANNEL = "redisgears-harness:own-writes";
const OWN_BEGINS = "begins";
const OWN_ENDS = "ends";
/** Events that RedisGears 2 doesn't pass on. */
const SILENT_EVENTS = new Set(["new", "keymiss"]);
/** Commands that can't be called from inside. */
const FORBIDDEN = /^(eval|evalsha|eval_ro|evalsha_ro|fcall|fcall_ro|function|script|tfcall|tfcallasync|tfunction)$/i;
const READ_AT_ONCE = 100;

export interface HarnessOptions {
  url: string;
  /** The library's code; what has been built where none is given. */
  code?: string;
  /** The JSON after `CONFIG`. */
  config?: string;
}

/**
 * Runs a library as RedisGears 2 would, beside a Redis without it: a script in a bare world, with synchronous calls to
 * the real Redis, a trigger that reads streams, and one that hears what others than the library do to keys.
 *
 * What it can't do as RedisGears does:
 * - A callback isn't atomic: each of its calls is, but other clients may come in between.
 * - A trigger fires a moment after the command that causes it, not before that command's reply. `settle`, and every
 *   `call`, see to it first that all has fired that was caused before.
 * - Keyspace events reach it as notifications, so it turns them on in Redis's configuration (RedisGears needs none).
 * - How far a stream was read is kept here, not in Redis: a library that is loaded again starts with what is there.
 * - It knows synchronous callbacks, strings and one primary: nothing asynchronous, no `callRaw`, no cluster.
 */
export class RedisGearsHarness implements PresenceLibrary {
  readonly runtime = "redisgears";
  /** What callbacks of triggers have thrown: RedisGears keeps it in its statistics, and goes on. */
  readonly errors: unknown[] = [];
  readonly registrations: Registrations;
  readonly #redis: SynchronousRedis;
  readonly #context: LibraryContext;
  readonly #streams = new Map<string, StreamTrigger>();
  readonly #keySpaces = new Map<string, KeySpaceTrigger>();
  readonly #lastIds = new Map<string, string>();
  #isOwn = false;
  #isRunning = false;

  private constructor(redis: SynchronousRedis, code: string, config: string | undefined) {
    this.#redis = redis;
    this.#context = new LibraryContext();
    this.registrations = loadLibrary(this.#context, code, config);
    for (const trigger of this.registrations.streamTriggers.values()) {
      this.#streams.set(patternOf(trigger.prefix), trigger);
    }
    for (const trigger of this.registrations.keySpaceTriggers.values()) {
      this.#keySpaces.set(patternOf(trigger.prefix), trigger);
    }
  }

  /** @throws where RedisGears would refuse the library */
  static async load({ url, code, config }: HarnessOptions): Promise<RedisGearsHarness> {
    const source = code ?? (await readFile(BUILT_LIBRARY, "utf8"));
    const redis = new SynchronousRedis(url);
    try {
      const harness = new RedisGearsHarness(redis, source, config);
      harness.#listen();
      return harness;
    } catch (error) {
      await redis.close();
      throw error;
    }
  }

  /** As `TFCALL library.name 0 …args`. */
  async call(name: string, args: readonly string[]): Promise<unknown> {
    const callback = this.registrations.functions.get(name);
    if (!callback) throw new Error(`Unknown function ${name} on library ${this.registrations.name}`);
    this.#fence();
    return replyOf(this.#run((client) => callback(client, ...args)));
  }

  /** Until all triggers have fired that anything up to now is to fire. */
  async settle(): Promise<void> {
    this.#fence();
  }

  async close(): Promise<void> {
    await this.#redis.close();
  }

  #listen(): void {
    const flags = this.#redis.call("CONFIG", "GET", "notify-keyspace-events");
    const present = Array.isArray(flags) ? String(flags[1]) : "";
    this.#redis.call("CONFIG", "SET", "notify-keyspace-events", `${present}KA`);
    this.#redis.call("HELLO", "3");
    for (const pattern of [...this.#streams.keys(), ...this.#keySpaces.keys()]) this.#subscribe("PSUBSCRIBE", pattern);
    this.#subscribe("SUBSCRIBE", OWN_WRITES_CHANNEL);
    this.#redis.onPushes = () => this.#fire();
    for (const trigger of this.#streams.values()) {
      const keys = this.#redis.call("KEYS", `${escapeGlob(trigger.prefix)}*`) as string[];
      for (const key of keys) this.#readStream(trigger, key);
    }
  }

  /** Its answer is a push message; the `PING` waits until it has come. */
  #subscribe(command: string, channel: string): void {
    this.#redis.pipeline([[command, channel], ["PING"]], 1);
  }

  #fence(): void {
    this.#redis.call("PING");
    this.#fire();
  }

  /** Hands on what has arrived, in order; what callbacks provoke meanwhile comes after. */
  #fire(): void {
    if (this.#isRunning) return;
    for (let pushes = this.#redis.takePushes(); pushes.length > 0; pushes = this.#redis.takePushes()) {
      for (const push of pushes) this.#handle(push);
    }
  }

  #handle([kind, ...rest]: unknown[]): void {
    if (kind === "message") {
      this.#isOwn = rest[1] === OWN_BEGINS;
      return;
    }
    if (kind !== "pmessage" || this.#isOwn) return;
    const [pattern, channel, event] = rest;
    const stream = this.#streams.get(String(pattern));
    const keySpace = this.#keySpaces.get(String(pattern));
    // The channel's name is no string where the key isn't UTF-8.
    const key = typeof channel === "string" ? channel.slice(KEYSPACE.length) : null;
    if (stream && event === "xadd" && key !== null) this.#readStream(stream, key);
    if (keySpace && !SILENT_EVENTS.has(String(event))) {
      this.#trigger((client) => keySpace.callback(client, this.#object({ event: String(event), key })));
    }
  }

  #readStream(trigger: StreamTrigger, key: string): void {
    for (;;) {
      const from = this.#lastIds.get(key);
      const range = this.#redis.pipeline([
        ["XRANGE", key, from === undefined ? "-" : `(${from}`, "+", "COUNT", String(READ_AT_ONCE)],
      ])[0];
      if (!Array.isArray(range) || range.length === 0) return;
      for (const [id, fields] of range as [string, unknown[]][]) {
        const data = this.#object({ id: this.#array(idOf(id)), stream_name: key, record: this.#recordOf(fields) });
        this.#trigger((client) => trigger.callback(client, data as Parameters<StreamTrigger["callback"]>[1]));
        this.#lastIds.set(key, id);
        if (trigger.isStreamTrimmed) this.#redis.call("XTRIM", key, "MINID", following(id));
      }
    }
  }

  #recordOf(fields: readonly unknown[]): unknown {
    const pairs: unknown[] = [];
    for (let index = 0; index + 1 < fields.length; index += 2) {
      pairs.push(this.#array([textOrNull(fields[index]), textOrNull(fields[index + 1])]));
    }
    return this.#array(pairs);
  }

  #trigger(callback: (client: Client) => unknown): void {
    try {
      this.#run(callback);
    } catch (error) {
      this.errors.push(error);
    }
  }

  #run(callback: (client: Client) => unknown): unknown {
    let isValid = true;
    this.#isRunning = true;
    const client = this.#object({
      call: (command: unknown, ...args: unknown[]) => {
        if (!isValid) throw "Used on invalid client";
        return this.#callFromInside([command, ...args]);
      },
    }) as Client;
    try {
      return callback(client);
    } finally {
      isValid = false;
      this.#isRunning = false;
    }
  }

  #callFromInside(command: readonly unknown[]): unknown {
    for (const word of command) if (typeof word !== "string") throw "Can not convert value into a command argument";
    const words = command as string[];
    if (FORBIDDEN.test(words[0] ?? "")) throw "ERR This Redis command is not allowed from script";
    const replies = this.#redis.pipeline([
      ["MULTI"],
      ["PUBLISH", OWN_WRITES_CHANNEL, OWN_BEGINS],
      words,
      ["PUBLISH", OWN_WRITES_CHANNEL, OWN_ENDS],
      ["EXEC"],
    ]);
    const queued = replies[2];
    if (isErrorReply(queued)) throw queued.error;
    const results = replies[4];
    if (isErrorReply(results)) throw results.error;
    return this.#convert((results as unknown[])[1]);
  }

  /** A reply as RedisGears hands it to a library. */
  #convert(reply: unknown): unknown {
    if (isErrorReply(reply)) throw reply.error;
    if (reply instanceof Uint8Array) throw "Could not decode value as string";
    if (Array.isArray(reply)) return this.#array(reply.map((each) => this.#convert(each)));
    if (reply instanceof Set) return new this.#context.realm.Set([...reply].map((each) => this.#convert(each)));
    if (reply instanceof Map) {
      return this.#object(Object.fromEntries([...reply].map(([key, value]) => [String(key), this.#convert(value)])));
    }
    return reply;
  }

  #array<Item>(items: readonly Item[]): Item[] {
    return this.#context.realm.Array.from(items);
  }

  #object<Shape extends object>(shape: Shape): Shape {
    return this.#context.realm.Object.assign(new this.#context.realm.Object(), shape) as Shape;
  }
}

const KEYSPACE = "__keyspace@0__:";

function patternOf(prefix: string): string {
  return `${KEYSPACE}${escapeGlob(prefix)}*`;
}

function escapeGlob(text: string): string {
  return text.replace(/[*?[\]\\]/g, "\\$&");
}

function textOrNull(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

function idOf(id: string): [bigint, bigint] {
  const [ms = "0", sequence = "0"] = id.split("-");
  return [BigInt(ms), BigInt(sequence)];
}

function following(id: string): string {
  const [ms, sequence] = idOf(id);
  return `${ms}-${sequence + 1n}`;
}

/** What a client gets of what a function returned. */
function replyOf(value: unknown): unknown {
  if (value === undefined) return null;
  if (typeof value === "bigint") return Number(value);
  return Array.isArray(value) ? [...value].map(replyOf) : value;
}
