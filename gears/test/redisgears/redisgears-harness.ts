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
/** A message before and after each command of the library, in one transaction, marks the notifications it causes. */
const OWN_WRITES_CHANNEL = "redisgears-harness:own-writes";
const OWN_WRITE_BEGINS = "begins";
const OWN_WRITE_ENDS = "ends";
/** Events that RedisGears 2 does not report. */
const SILENT_EVENTS = new Set(["new", "keymiss"]);
/** Commands that a library must not call. */
const FORBIDDEN = /^(eval|evalsha|eval_ro|evalsha_ro|fcall|fcall_ro|function|script|tfcall|tfcallasync|tfunction)$/i;
const ENTRIES_PER_READ = 100;

export interface HarnessOptions {
  url: string;
  /** The library's code. Default: the built library. */
  code?: string;
  /** The JSON after `CONFIG`. */
  config?: string;
}

/**
 * Runs a RedisGears 2 library with a Redis that does not have RedisGears. The library runs in its own realm, with
 * synchronous calls to the real Redis, stream triggers, and keyspace triggers for changes that it did not make itself.
 *
 * Differences to RedisGears:
 * - Callbacks are not atomic. Each call is, but commands of other clients may run between calls.
 * - A trigger runs shortly after the command that causes it, not before that command's reply. `settle` and each `call`
 *   first run all triggers that are due.
 * - It needs keyspace notifications and turns them on in Redis's configuration. RedisGears needs none.
 * - It keeps stream positions in this process, not in Redis. A library that is loaded again reads streams from the start.
 * - It supports synchronous callbacks, string arguments and one primary: nothing asynchronous, no `callRaw`, no cluster.
 */
export class RedisGearsHarness implements PresenceLibrary {
  readonly runtime = "redisgears";
  /** The errors that trigger callbacks have thrown. RedisGears counts such errors and continues. */
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

  /** @throws if RedisGears would reject the library */
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

  /** Like `TFCALL library.name 0 …args`. */
  async call(name: string, args: readonly string[]): Promise<unknown> {
    const callback = this.registrations.functions.get(name);
    if (!callback) throw new Error(`Unknown function ${name} on library ${this.registrations.name}`);
    this.#runDueTriggers();
    return replyOf(this.#run((client) => callback(client, ...args)));
  }

  /** Resolves when all triggers that are due have run. */
  async settle(): Promise<void> {
    this.#runDueTriggers();
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

  /** The confirmation is a push message. It arrives before the reply to `PING`. */
  #subscribe(command: string, channel: string): void {
    this.#redis.pipeline([[command, channel], ["PING"]], 1);
  }

  #runDueTriggers(): void {
    this.#redis.call("PING");
    this.#fire();
  }

  /** Handles the push messages in order, including those that callbacks cause. */
  #fire(): void {
    if (this.#isRunning) return;
    for (let pushes = this.#redis.takePushes(); pushes.length > 0; pushes = this.#redis.takePushes()) {
      for (const push of pushes) this.#handle(push);
    }
  }

  #handle([kind, ...rest]: unknown[]): void {
    if (kind === "message") {
      this.#isOwn = rest[1] === OWN_WRITE_BEGINS;
      return;
    }
    if (kind !== "pmessage" || this.#isOwn) return;
    const [pattern, channel, event] = rest;
    const stream = this.#streams.get(String(pattern));
    const keySpace = this.#keySpaces.get(String(pattern));
    // The channel is not a string if the key is not UTF-8.
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
        ["XRANGE", key, from === undefined ? "-" : `(${from}`, "+", "COUNT", String(ENTRIES_PER_READ)],
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
    for (const each of command) if (typeof each !== "string") throw "Can not convert value into a command argument";
    const args = command as string[];
    if (FORBIDDEN.test(args[0] ?? "")) throw "ERR This Redis command is not allowed from script";
    const replies = this.#redis.pipeline([
      ["MULTI"],
      ["PUBLISH", OWN_WRITES_CHANNEL, OWN_WRITE_BEGINS],
      args,
      ["PUBLISH", OWN_WRITES_CHANNEL, OWN_WRITE_ENDS],
      ["EXEC"],
    ]);
    const queued = replies[2];
    if (isErrorReply(queued)) throw queued.error;
    const results = replies[4];
    if (isErrorReply(results)) throw results.error;
    return this.#convert((results as unknown[])[1]);
  }

  /** Converts a reply as RedisGears does. */
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

/** Converts the return value of a function to the reply of `TFCALL`. */
function replyOf(value: unknown): unknown {
  if (value === undefined) return null;
  if (typeof value === "bigint") return Number(value);
  return Array.isArray(value) ? [...value].map(replyOf) : value;
}
