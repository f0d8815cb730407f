import { ReplyError } from "ioredis";
import { PresenceUnavailableError } from "../presence/presence-platform.ts";

/**
 * What Redis answers.
 *
 * @throws {PresenceUnavailableError} where no answer can be had; an answer that is an error is thrown as it is
 */
export async function unwrapReply<Answer>(asked: Promise<Answer>): Promise<Answer> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof ReplyError) throw error;
    throw new PresenceUnavailableError("Redis can't be reached", { cause: error });
  }
}
