import { GUESTS_KEY } from "@presence/gears";
import { type ClientId, contactKey } from "@presence/protocol";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { CallBatcher } from "../batching/call-batcher.ts";
import { unwrapReply } from "../redis/unwrap-reply.ts";
import { parseContactDocument } from "./contact-document.ts";
import type { ContactDocument, ContactStore } from "./contact-store.ts";

/** Says that the roster has been written once: who was deleted since does not come back. */
const SEEDED_KEY = "presence:seeded";
const KEYS_PER_CALL = 500;
/** Of people who arrive together: each answer begins a stream, and all of one call's begin in one turn. */
const SINGLE_KEYS_PER_CALL = 48;
/** Finding everyone means going through all keys, so it is remembered for so long, in ms. */
const LIST_MS = 5_000;

/**
 * Contact documents in Redis, shared by all servers: as RedisJSON where the Redis has it, else, and in a cluster, as
 * strings of JSON.
 *
 * A document is read each time it is asked for, so one that was written by hand counts at once.
 */
export class RedisContactStore implements ContactStore {
  readonly #redis: Redis;
  readonly #logger: Logger;
  readonly #hasJson: boolean;
  /** What the connection puts before each key, and not before a pattern, nor in an answer. */
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

  /** Writes these documents, the first time that anyone asks it of this Redis. What is there already stays. */
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
      // Of a Redis that came back with nothing, some may have been taken for guests before this.
      pipeline.srem(GUESTS_KEY, ...some.map(({ id }) => id));
      await pipeline.exec();
    }
  }

  /** Writes a document whole, in one step: whoever reads sees all of the old one or all of the new. */
  async save(document: ContactDocument): Promise<void> {
    const json = JSON.stringify(document);
    if (this.#hasJson) await this.#redis.call("JSON.SET", contactKey(document.id), "$", json);
    else await this.#redis.set(contactKey(document.id), json);
    this.#list = undefined;
  }

  async find(id: ClientId): Promise<ContactDocument | undefined> {
    const documents = await this.#single.ask([id]);
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
      this.#list = { documents, untilMs: nowMs + LIST_MS };
      documents.catch(() => {
        this.#list = undefined;
      });
    }
    return this.#list.documents;
  }

  async #findSome(ids: readonly ClientId[]): Promise<ContactDocument[]> {
    const texts = await unwrapReply(this.#redis.mget(...ids.map(contactKey)));
    // A string key has no JSON value, and a JSON key no string: `MGET` passes over the latter.
    const rest = ids.filter((_, index) => typeof texts[index] !== "string");
    const jsons = this.#hasJson && rest.length > 0 ? await this.#readJson(rest) : new Map<ClientId, string>();
    return ids.flatMap((id, index) => {
      const json = texts[index] ?? jsons.get(id);
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
      this.#logger.warn({ key: contactKey(id), err: error }, "this is no contact document, and counts as none");
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
  // A connection knows nothing of keys in commands of modules, so that it can't put a partition's prefix before them.
  if ((redis.options.keyPrefix ?? "") !== "") return false;
  try {
    await redis.call("JSON.GET", SEEDED_KEY);
    return true;
  } catch (error) {
    // Anything else than not knowing the command means that it is there.
    return !(error instanceof Error && /unknown command|noperm/i.test(error.message));
  }
}
