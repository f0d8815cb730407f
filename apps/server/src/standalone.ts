import { randomBytes } from "node:crypto";
import type { Config } from "./config.ts";
import type { ContactDocument } from "./contacts/contact-store.ts";
import { MemoryContactStore } from "./contacts/memory-contact-store.ts";
import type { Metrics } from "./metrics.ts";
import type { PlatformParts } from "./platform-parts.ts";
import { LocalPresencePlatform } from "./presence/local/local-presence-platform.ts";
import { MemoryRevocations } from "./sessions/memory-revocations.ts";

const KEY_BYTES = 32;

/** Creates the parts of a single server without Redis. */
export function createStandaloneParts(
  { heartbeatIntervalMs, access }: Config,
  roster: readonly ContactDocument[],
  metrics: Metrics,
): PlatformParts {
  const contacts = new MemoryContactStore(roster);
  const platform = new LocalPresencePlatform({
    heartbeatIntervalMs,
    isGuest: (client) => access.mode === "demo" && !contacts.has(client),
    onOfflineLag: (lagMs) => metrics.offlineLag.observe(lagMs / 1000),
  });
  return {
    platform,
    contacts,
    revocations: new MemoryRevocations(),
    demoKey: randomBytes(KEY_BYTES),
    followRevocations: () => Promise.resolve(),
    warnings: () => [],
    close: () => platform.close(),
  };
}
