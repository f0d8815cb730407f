import { ReplyError } from "ioredis";
import { PresenceUnavailableError } from "../presence/presence-platform.ts";

/**
 * Waits for a reply of Redis.
 *
 * @throws {PresenceUnavailableError} if there is no reply
 * @throws {ReplyError} if Redis replies with an error
 */
export async function unwrapReply<Reply>(reply: Promise<Reply>): Promise<Reply> {
  try {
    return await reply;
  } catch (error) {
    if (error instanceof ReplyError) throw error;
    throw new PresenceUnavailableError("Redis cannot be reached", { cause: error });
  }
}
