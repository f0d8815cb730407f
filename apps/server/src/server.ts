import type { DestinationStream, Logger } from "pino";
import type { Config } from "./config.ts";
import type { ContactDocument } from "./contacts/contact-store.ts";
import { Directory } from "./contacts/directory.ts";
import { enlargeRoster } from "./contacts/large-roster.ts";
import { ROSTER } from "./contacts/roster.ts";
import { createDistributedParts } from "./distributed.ts";
import { Admission } from "./http/admission.ts";
import { type Access, createApp } from "./http/app.ts";
import { expressMessageClasses } from "./http/express-message-classes.ts";
import { listen } from "./http/listen.ts";
import { openFilesLimit, socketLimits } from "./http/open-sockets.ts";
import { createLogger } from "./logging.ts";
import { Metrics } from "./metrics.ts";
import type { PlatformParts } from "./platform-parts.ts";
import type { DrainPace } from "./push/drain.ts";
import { PushHub, type PushLimits } from "./push/push-hub.ts";
import { createDemoSessions, createJwksSessions, createSharedSecretSessions } from "./sessions/jwt-sessions.ts";
import { createStandaloneParts } from "./standalone.ts";

const DEMO_TOKEN_LIFETIME_MS = 12 * 60 * 60 * 1000;
/** A load balancer that checks readiness every 2 s notices within `noticeMs`. Draining ends well within 10 s. */
const DRAIN_PACE: DrainPace = { noticeMs: 2_500, spreadMs: 5_000 };
/** RFC 7518, section 3.2: an HS256 key must be at least as long as the hash. */
const MIN_SECRET_BYTES = 32;

export interface RunningServer {
  /** The server's URL on this machine. */
  url: string;
  /**
   * Moves the server's clients to other servers over some seconds. Close the server afterwards. Does nothing on a
   * standalone server, because there are no others.
   */
  drain(): Promise<void>;
  /** Ends all streams with a reconnection time, and stops. */
  close(): Promise<void>;
}

export interface ServerOptions {
  /** The folder of the built web app. */
  webAppFolder: string;
  pushLimits?: Partial<PushLimits>;
  /** Where log lines are written; standard output by default. */
  logDestination?: DestinationStream;
}

/**
 * Builds a realtime server: config → presence → push → HTTP. Closing happens in reverse order.
 *
 * @throws {ListenError} if the port is not available
 * @throws {RedisError} if Redis is configured but cannot be used
 */
export async function startServer(
  config: Config,
  { webAppFolder, pushLimits, logDestination }: ServerOptions,
): Promise<RunningServer> {
  const logger = createLogger(config.logLevel, config.serverId, logDestination);
  const metrics = new Metrics();
  warnAboutShortSecret(config, (message) => logger.warn(message));
  const roster = config.contactCount === undefined ? ROSTER : enlargeRoster(ROSTER, config.contactCount);
  const parts = await createParts(config, roster, metrics, logger);
  const { platform } = parts;
  const access = createAccess(config, parts);
  const directory = new Directory(parts.contacts, {
    admitsGuests: access.mode === "demo",
    maxContacts: config.limits.maxContacts,
  });
  const hub = new PushHub({ platform, metrics, logger, ...(pushLimits && { limits: pushLimits }) });
  const { warnings } = parts;
  const openFiles = openFilesLimit();
  const admission = new Admission({
    limits: config.limits,
    openFiles,
    onRefusal: (reason) => metrics.refused.inc({ reason }),
  });
  const { trustedProxies, corsOrigins, metricsToken } = config;
  const app = createApp({
    admission,
    trustedProxies,
    corsOrigins,
    metricsToken,
    access,
    directory,
    hub,
    metrics,
    logger,
    warnings,
    webAppFolder,
  });

  const drain = async () => {
    if (config.redisUrl === undefined) return;
    logger.info("draining");
    await hub.drain(DRAIN_PACE);
  };
  const closeAll = async (closeListening: () => Promise<void>) => {
    const listeningClosed = closeListening();
    hub.close();
    await listeningClosed;
    await parts.close();
    logger.info("stopped");
  };
  try {
    await parts.followRevocations((session) => hub.signOut(session).catch(() => {}));
    const listening = await listen(app, {
      hosts: config.hosts,
      port: config.port,
      onSocket: (socket) => admission.addSocket(socket),
      http: { ...expressMessageClasses(app), maxHeaderSize: config.limits.maxHeaderBytes },
    });
    metrics.collectProcessMetrics();
    logger.info(
      { hosts: config.hosts, port: listening.port, mode: access.mode, room: connectionCapacity(config, openFiles) },
      "listening",
    );
    return { url: `http://localhost:${listening.port}`, drain, close: () => closeAll(listening.close) };
  } catch (error) {
    await closeAll(() => Promise.resolve());
    throw error;
  }
}

async function createParts(
  config: Config,
  roster: readonly ContactDocument[],
  metrics: Metrics,
  logger: Logger,
): Promise<PlatformParts> {
  const { redisUrl } = config;
  if (redisUrl === undefined) return createStandaloneParts(config, roster, metrics);
  return await createDistributedParts({ ...config, redisUrl }, roster, metrics, logger);
}

function createAccess({ access, limits }: Config, { demoKey, revocations }: PlatformParts): Access {
  if (access.mode === "demo") {
    return { mode: "demo", sessions: createDemoSessions(demoKey, DEMO_TOKEN_LIFETIME_MS, revocations) };
  }
  const sessions =
    "secret" in access
      ? createSharedSecretSessions(access.secret, revocations, limits)
      : createJwksSessions(access.jwksUrl, revocations, limits);
  return { mode: "issuer", sessions };
}

function warnAboutShortSecret({ access }: Config, warn: (message: string) => void): void {
  if ("secret" in access && Buffer.byteLength(access.secret) < MIN_SECRET_BYTES) {
    warn(`AUTH_JWT_SECRET is shorter than ${MIN_SECRET_BYTES} bytes. Use a longer one: a short secret can be guessed.`);
  }
}

/** How many connections this server can have. */
function connectionCapacity({ limits }: Config, openFiles: number): number {
  return Math.min(limits.maxConnections, socketLimits(openFiles).forStreams);
}
