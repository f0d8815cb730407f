import { HEARTBEAT_KEY } from "@presence/protocol";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { pause, RETRY_MS, WINDOW_MS } from "./pace.ts";
import type { PresenceFunctions } from "./presence-functions.ts";
import { connected } from "./redis-connection.ts";

/** How long one read blocks, in ms. Well below the socket timeout. */
const BLOCK_MS = 1_000;

/**
 * Processes the heartbeat stream of a Redis without RedisGears.
 *
 * A function inside Redis reads the entries with a consumer group and applies them. This process only waits for entries.
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
      logger.debug({ err: error }, "processing of heartbeats failed; retrying");
      await pause(RETRY_MS, signal);
    }
  }
}
