import { GUESTS_KEY } from "@presence/gears/keys";
import { RedisServer } from "@presence/testkit";
import { Redis } from "ioredis";
import { pino } from "pino";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { contactStoreContract } from "./contact-store.contract.ts";
import type { ContactDocument } from "./contact-store.ts";
import { RedisContactStore } from "./redis-contact-store.ts";

const ANOUK: ContactDocument = { id: "anouk", name: "Anouk", contacts: ["omar"] };

describe("RedisContactStore", () => {
  let server: RedisServer;
  let redis: Redis;
  const open = () => RedisContactStore.open(redis, pino({ level: "silent" }));

  beforeAll(async () => {
    server = await RedisServer.start();
    redis = new Redis(server.url);
  });

  beforeEach(() => redis.flushall());

  afterAll(async () => {
    redis.disconnect();
    await server.stop();
  });

  contactStoreContract(async (documents) => {
    const store = await open();
    await store.seed(documents);
    return store;
  });

  it("seeds once: later deletions and changes are kept", async () => {
    const first = await open();
    await redis.set("contact:anouk", JSON.stringify({ ...ANOUK, name: "Written before" }));
    await first.seed([ANOUK, { ...ANOUK, id: "omar" }]);
    expect((await first.find("anouk"))?.name).toBe("Written before");
    await redis.del("contact:omar");
    const second = await open();
    await second.seed([ANOUK, { ...ANOUK, id: "omar" }]);
    expect(await second.find("omar")).toBeUndefined();
  });

  it("removes seeded clients from the guests", async () => {
    await redis.sadd(GUESTS_KEY, "anouk", "zoe");
    const store = await open();
    await store.seed([ANOUK]);
    expect(await redis.smembers(GUESTS_KEY)).toEqual(["zoe"]);
  });

  it("reads a manually written document with only the required fields", async () => {
    const store = await open();
    await redis.set("contact:zoe", '{"id":"zoe","contacts":["anouk"],"favourite":"blue"}');
    expect(await store.find("zoe")).toEqual({ id: "zoe", name: "zoe", contacts: ["anouk"] });
  });

  it("replaces a document", async () => {
    const store = await open();
    await store.save(ANOUK);
    await store.save({ ...ANOUK, contacts: ["magali"] });
    expect(await store.find("anouk")).toEqual({ ...ANOUK, contacts: ["magali"] });
    expect(await store.list()).toEqual([{ ...ANOUK, contacts: ["magali"] }]);
  });

  it.each([
    "not JSON",
    "[]",
    "null",
    '{"id":"zoe"}',
    '{"id":"other","contacts":[]}',
    '{"id":"zoe","contacts":["not an id"]}',
    '{"id":"zoe","contacts":"anouk"}',
    '{"id":"zoe","name":7,"contacts":[]}',
  ])("ignores the invalid document %s", async (text) => {
    const store = await open();
    await redis.set("contact:zoe", text);
    expect(await store.find("zoe")).toBeUndefined();
  });

  it("ignores a key of another type", async () => {
    const store = await open();
    await redis.lpush("contact:zoe", "a");
    expect(await store.find("zoe")).toBeUndefined();
    expect(await store.list()).toEqual([]);
  });
});
