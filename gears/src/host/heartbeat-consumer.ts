import { HEARTBEAT_KEY } from "@presence/protocol";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { pause, RETRY_MS, WINDOW_MS } from "./pace.ts";
import type { PresenceFunctions } from "./presence-functions.ts";
import { connected } from "./redis-connection.ts";

/** How long one read blocks, in ms: well below the silence from which on a connection counts as dead. */
const BLOCK_MS = 1_000;

/**
 * Works off the heartbeat stream, beside a Redis without RedisGears.
 *
 * The reading is done inside Redis, by a consumer group, together with the work. Out here one only waits for there to be
 * something to read.
 */
export async function consumeHeartbeats(
  functions: PresenceFunctions,
  blocking: Redis,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await connected(blocking);
      const { isMore, lastId } = await functions.processBacklog();
      if (isMore) continue;
      const windowEndMs = performance.now() + WINDOW_MS;
      await blocking.xread("COUNT", 1, "BLOCK", BLOCK_MS, "STREAMS", HEARTBEAT_KEY, lastId);
      const leftMs = windowEndMs - performance.now();
      if (leftMs > 0) await pause(leftMs, signal);
    } catch (error) {
      if (signal.aborted) return;
      logger.debug({ err: error }, "heartbeats could not be worked off; trying again");
      await pause(RETRY_MS, signal);
    }
  }
}
