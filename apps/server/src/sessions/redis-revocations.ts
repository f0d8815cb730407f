import { isClientId } from "@presence/protocol";
import type { Redis } from "ioredis";
import { z } from "zod";
import { answerOf } from "../presence/redis/answer-of.ts";
import type { Revocations } from "./revocations.ts";
import type { Session } from "./sessions.ts";

const CHANNEL = "presence:signed-out";
const session: z.ZodType<Session> = z.object({
  client: z.string().refine(isClientId),
  key: z.string(),
  expiresAt: z.number(),
});

function revocationKey(key: string): string {
  return `presence:revoked:${key}`;
}

/** Revocations shared by all servers: a token that was signed out at one of them ends at each. */
export class RedisRevocations implements Revocations {
  readonly #redis: Redis;

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  async add(revoked: Session): Promise<void> {
    await answerOf(this.#redis.set(revocationKey(revoked.key), "1", "PXAT", revoked.expiresAt));
    await answerOf(this.#redis.publish(CHANNEL, JSON.stringify(revoked)));
  }

  async has(key: string): Promise<boolean> {
    return (await answerOf(this.#redis.exists(revocationKey(key)))) === 1;
  }

  /**
   * Calls `onRevoked` with each session that is signed out, wherever that is. What is missed is found out when the token
   * is used next, or ends.
   *
   * @param subscriber a connection of its own
   */
  async follow(subscriber: Redis, onRevoked: (revoked: Session) => void): Promise<void> {
    subscriber.on("message", (_channel: string, text: string) => {
      const message = session.safeParse(parseJson(text));
      if (message.success) onRevoked(message.data);
    });
    await subscriber.connect();
    await subscriber.subscribe(CHANNEL);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
