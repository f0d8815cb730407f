import { isClientId, partitionOf } from "@presence/protocol";
import type { Redis } from "ioredis";
import { z } from "zod";
import { unwrapReply } from "../redis/unwrap-reply.ts";
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

/** Revocations in Redis, shared by all servers. */
export class RedisRevocations implements Revocations {
  readonly #parts: readonly Redis[];

  /** @param parts one connection per partition; a single Redis has one */
  constructor(parts: readonly Redis[]) {
    this.#parts = parts;
  }

  async add(revoked: Session): Promise<void> {
    const redis = this.#partOf(revoked.key);
    await unwrapReply(redis.set(revocationKey(revoked.key), "1", "PXAT", revoked.expiresAt));
    // In a cluster, Pub/Sub messages reach subscribers of all nodes.
    await unwrapReply(redis.publish(CHANNEL, JSON.stringify(revoked)));
  }

  async has(key: string): Promise<boolean> {
    return (await unwrapReply(this.#partOf(key).exists(revocationKey(key)))) === 1;
  }

  /**
   * Calls `onRevoked` with each session that is signed out on any server. If a message is lost, an open stream of the
   * session continues until its token expires or is used again.
   *
   * @param subscriber a connection that is used for nothing else
   */
  async follow(subscriber: Redis, onRevoked: (revoked: Session) => void): Promise<void> {
    subscriber.on("message", (_channel: string, text: string) => {
      const message = session.safeParse(parseJson(text));
      if (message.success) onRevoked(message.data);
    });
    await subscriber.connect();
    await subscriber.subscribe(CHANNEL);
  }

  #partOf(key: string): Redis {
    const part = this.#parts[partitionOf(key, this.#parts.length)];
    if (!part) throw new Error("each token has a partition");
    return part;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
