import { GUESTS_KEY } from "@presence/gears";
import { type ClientId, contactKey } from "@presence/protocol";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { CallBatcher } from "../batching/call-batcher.ts";
import { unwrapReply } from "../redis/unwrap-reply.ts";
import { parseContactDocument } from "./contact-document.ts";
import type { ContactDocument, ContactStore } from "./contact-store.ts";

/** Exists once the roster has been written, so that documents deleted later are not written again. */
const SEEDED_KEY = "presence:seeded";
const KEYS_PER_CALL = 500;
/**
 * Batch size for single lookups that happen at the same time. It is small, because each result opens a stream, and all
 * results of one call are processed in one event loop turn.
 */
const SINGLE_KEYS_PER_CALL = 48;
/** How long the list of all documents is cached, because reading it scans all keys. */
const LIST_CACHE_MS = 5_000;

/**
 * Contact documents in Redis, shared by all servers. They are RedisJSON documents if Redis has that module, and JSON
 * strings otherwise and in a cluster.
 *
 * Single documents are not cached, so a document that an operator writes takes effect immediately.
 */
export class RedisContactStore implements ContactStore {
  readonly #redis: Redis;
  readonly #logger: Logger;
  readonly #hasJson: boolean;
  /** ioredis adds it to keys in commands, but not to patterns, and does not remove it from replies. */
  readonly #connectionPrefix: string;
  readonly #single: CallBatcher<Map<ClientId, ContactDocument>>;
  #list: { documents: Promise<ContactDocument[]>; untilMs: number } | undefined;

  private constructor(redis: Redis, hasJson: boolean, logger: Logger) {
    this.#redis = redis;
    this.#connectionPrefix = redis.options.keyPrefix ?? "";
    this.#hasJson = hasJson;
    this.#logger = logger;
    this.#single = new CallBatcher(async (ids) => {
      const documents = await this.#findSome(ids);
      return new Map(documents.map((document) => [document.id, document]));
    }, SINGLE_KEYS_PER_CALL);
  }

  static async open(redis: Redis, logger: Logger): Promise<RedisContactStore> {
    return new RedisContactStore(redis, await hasJsonCommands(redis), logger);
  }

  /** Writes the documents once per Redis. Existing documents are kept. */
  async seed(documents: readonly ContactDocument[]): Promise<void> {
    if ((await this.#redis.set(SEEDED_KEY, "1", "NX")) === null) return;
    for (let start = 0; start < documents.length; start += KEYS_PER_CALL) {
      const pipeline = this.#redis.pipeline();
      const some = documents.slice(start, start + KEYS_PER_CALL);
      for (const document of some) {
        const json = JSON.stringify(document);
        if (this.#hasJson) pipeline.call("JSON.SET", contactKey(document.id), "$", json, "NX");
        else pipeline.set(contactKey(document.id), json, "NX");
      }
      // After Redis lost its data, clients of the roster may have been recorded as guests.
      pipeline.srem(GUESTS_KEY, ...some.map(({ id }) => id));
      await pipeline.exec();
    }
  }

  /** Replaces a document atomically. */
  async save(document: ContactDocument): Promise<void> {
    const json = JSON.stringify(document);
    if (this.#hasJson) await this.#redis.call("JSON.SET", contactKey(document.id), "$", json);
    else await this.#redis.set(contactKey(document.id), json);
    this.#list = undefined;
  }

  async find(id: ClientId): Promise<ContactDocument | undefined> {
    const documents = await this.#single.load([id]);
    return documents.get(id);
  }

  async findMany(ids: Iterable<ClientId>): Promise<ContactDocument[]> {
    const wanted = [...ids];
    const documents: ContactDocument[] = [];
    for (let start = 0; start < wanted.length; start += KEYS_PER_CALL) {
      documents.push(...(await this.#findSome(wanted.slice(start, start + KEYS_PER_CALL))));
    }
    return documents;
  }

  list(): Promise<ContactDocument[]> {
    const nowMs = performance.now();
    if (!this.#list || this.#list.untilMs < nowMs) {
      const documents = this.#readAll();
      this.#list = { documents, untilMs: nowMs + LIST_CACHE_MS };
      documents.catch(() => {
        this.#list = undefined;
      });
    }
    return this.#list.documents;
  }

  async #findSome(ids: readonly ClientId[]): Promise<ContactDocument[]> {
    const texts = await unwrapReply(this.#redis.mget(...ids.map(contactKey)));
    // `MGET` returns null for a RedisJSON key.
    const rest = ids.filter((_, index) => typeof texts[index] !== "string");
    const redisJson = this.#hasJson && rest.length > 0 ? await this.#readJson(rest) : new Map<ClientId, string>();
    return ids.flatMap((id, index) => {
      const json = texts[index] ?? redisJson.get(id);
      const document = json === undefined ? undefined : this.#parse(id, json);
      return document ? [document] : [];
    });
  }

  async #readJson(ids: readonly ClientId[]): Promise<Map<ClientId, string>> {
    const reply = await unwrapReply(this.#redis.call("JSON.MGET", ...ids.map(contactKey), "."));
    const values = Array.isArray(reply) ? reply : [];
    return new Map(ids.flatMap((id, index) => (typeof values[index] === "string" ? [[id, values[index]]] : [])));
  }

  #parse(id: ClientId, json: string): ContactDocument | undefined {
    try {
      return parseContactDocument(id, json);
    } catch (error) {
      this.#logger.warn({ key: contactKey(id), err: error }, "ignoring an invalid contact document");
      return undefined;
    }
  }

  async #readAll(): Promise<ContactDocument[]> {
    const ids = new Set<ClientId>();
    const prefix = this.#connectionPrefix + contactKey("");
    let cursor = "0";
    do {
      const [next, keys] = await unwrapReply(this.#redis.scan(cursor, "MATCH", `${prefix}*`, "COUNT", KEYS_PER_CALL));
      for (const key of keys) ids.add(key.slice(prefix.length));
      cursor = next;
    } while (cursor !== "0");
    return await this.findMany([...ids].sort());
  }
}

async function hasJsonCommands(redis: Redis): Promise<boolean> {
  // ioredis does not know the keys of module commands, so it would not add the partition's prefix to them.
  if ((redis.options.keyPrefix ?? "") !== "") return false;
  try {
    await redis.call("JSON.GET", SEEDED_KEY);
    return true;
  } catch (error) {
    // Any other error means that the command exists.
    return !(error instanceof Error && /unknown command|noperm/i.test(error.message));
  }
}
