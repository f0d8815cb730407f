import { RedisServer } from "@presence/testkit";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { RedisRevocations } from "./redis-revocations.ts";
import { revocationsContract } from "./revocations.contract.ts";
import type { Session } from "./sessions.ts";

describe("RedisRevocations", () => {
  let server: RedisServer;
  let redis: Redis;

  beforeAll(async () => {
    server = await RedisServer.start();
    redis = new Redis(server.url);
  });

  afterAll(async () => {
    redis.disconnect();
    await server.stop();
  });

  revocationsContract(async () => {
    await redis.flushall();
    return new RedisRevocations([redis]);
  });

  it("notifies every server", async () => {
    const received: Session[] = [];
    const subscriber = new Redis(server.url, { lazyConnect: true });
    await new RedisRevocations([redis]).follow(subscriber, (session) => received.push(session));
    const session: Session = { client: "anouk", key: "revoked", expiresAt: Date.now() + 60_000 };
    await redis.publish("presence:signed-out", "not JSON");
    await redis.publish("presence:signed-out", '{"client":"not an id"}');
    await new RedisRevocations([redis]).add(session);
    await vi.waitFor(() => expect(received).toEqual([session]));
    subscriber.disconnect();
  });
});
