import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import { DEFAULT_PARTITION_COUNT, parseRedisAddress, REDIS_URLS_ALLOWED } from "@presence/gears";
import { CLIENT_ID_RULE, isClientId } from "@presence/protocol";
import { z } from "zod";

/** The server's configuration, parsed once from environment and arguments. */
export interface Config {
  port: number;
  /** Addresses to listen on. */
  hosts: string[];
  serverId: string;
  /** The interval `d` between heartbeats, in ms. */
  heartbeatIntervalMs: number;
  /** `undefined` for a standalone server. */
  redisUrl: string | undefined;
  /** Whether this server also hosts the presence platform's triggers. */
  hostsTriggers: boolean;
  /** The number of partitions of a Redis cluster. All servers and trigger hosts of a cluster must use the same number. */
  partitionCount: number;
  access: AccessConfig;
  logLevel: LogLevel;
  /** The minimum number of contacts of each client in the roster; `undefined` to use the roster unchanged. */
  contactCount: number | undefined;
  limits: LimitsConfig;
  /** The number of reverse proxies in front of this server that set `X-Forwarded-For`. */
  trustedProxies: number;
  /** Origins that CORS allows. */
  corsOrigins: string[];
  /** The bearer token that `GET /metrics` requires; `undefined` if it requires none. */
  metricsToken: string | undefined;
}

/** Load limits of one server. Open connections are kept; a limit only refuses new ones. */
export interface AdmissionLimits {
  maxConnections: number;
  /** Loopback is exempt. */
  maxConnectionsPerAddress: number;
  maxConnectionsPerClient: number;
  /** Over all addresses: after a restart, clients reconnect no faster than the server can serve them. */
  maxNewConnectionsPerSecond: number;
  /** Per address. Loopback is exempt. */
  maxRequestsPerSecond: number;
}

/** Limits of one server. */
export interface LimitsConfig extends AdmissionLimits {
  /** Of a request line and its headers together. */
  maxHeaderBytes: number;
  /** In one contact document. */
  maxContacts: number;
  /** How long from now a token may be valid. */
  maxTokenLifetimeMs: number;
}

export type AccessConfig = { mode: "demo" } | { mode: "issuer"; secret: string } | { mode: "issuer"; jwksUrl: URL };

const LOG_LEVELS = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const;
type LogLevel = (typeof LOG_LEVELS)[number];

/** Both loopback addresses, because `localhost` may resolve to either. */
const LOOPBACK = ["127.0.0.1", "::1"];
const ALL_ADDRESSES = ["::"];
const METRICS_TOKEN = /^[A-Za-z0-9._~+/-]{16,}=*$/;

/** An invalid setting. The message is one line that names the setting and the allowed values. */
export class ConfigError extends Error {
  constructor(name: string, allowed: string, value: string) {
    super(`${name} must be ${allowed}, not ${JSON.stringify(value)}.`);
    this.name = "ConfigError";
  }
}

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * @param argv the arguments after the program's name
 * @throws {ConfigError} on the first invalid setting
 */
export function parseConfig(env: Environment, argv: readonly string[]): Config {
  const access = parseAccess(env);
  return {
    port: parse(env, "PORT", "a whole number from 0 to 65535", integerText(0, 65_535), "8080"),
    hosts: parseHosts(env, access),
    serverId: parse(env, "SERVER_ID", CLIENT_ID_RULE, z.string().refine(isClientId), randomServerId()),
    heartbeatIntervalMs: parse(
      env,
      "HEARTBEAT_INTERVAL_MS",
      "a whole number of milliseconds from 100 to 600000",
      integerText(100, 600_000),
      "5000",
    ),
    redisUrl: parseRedisUrl(env),
    hostsTriggers: parse(env, "TRIGGERS", "here or elsewhere", z.enum(["here", "elsewhere"]), "here") === "here",
    partitionCount: wholeNumber(env, "REDIS_PARTITIONS", 1, 1_024, String(DEFAULT_PARTITION_COUNT)),
    access,
    logLevel: parse(env, "LOG_LEVEL", `one of ${LOG_LEVELS.join(", ")}`, z.enum(LOG_LEVELS), "info"),
    contactCount: parseContactCount(argv),
    limits: parseLimits(env),
    trustedProxies: wholeNumber(env, "TRUST_PROXY", 0, 10, "0"),
    corsOrigins: parseOrigins(env),
    metricsToken: parseMetricsToken(env),
  };
}

function parseLimits(env: Environment): LimitsConfig {
  return {
    maxConnections: wholeNumber(env, "MAX_CONNECTIONS", 1, 1_000_000, "50000"),
    maxConnectionsPerAddress: wholeNumber(env, "MAX_CONNECTIONS_PER_ADDRESS", 1, 1_000_000, "1000"),
    maxConnectionsPerClient: wholeNumber(env, "MAX_CONNECTIONS_PER_CLIENT", 1, 1_000_000, "100"),
    maxNewConnectionsPerSecond: wholeNumber(env, "MAX_NEW_CONNECTIONS_PER_SECOND", 1, 100_000, "2000"),
    maxRequestsPerSecond: wholeNumber(env, "MAX_REQUESTS_PER_SECOND", 1, 100_000, "100"),
    maxHeaderBytes: wholeNumber(env, "MAX_HEADER_BYTES", 1_024, 1_048_576, "16384"),
    maxContacts: wholeNumber(env, "MAX_CONTACTS", 1, 1_000_000, "10000"),
    maxTokenLifetimeMs: wholeNumber(env, "MAX_TOKEN_LIFETIME_MS", 1_000, 31_536_000_000, "86400000"),
  };
}

function wholeNumber(env: Environment, name: string, min: number, max: number, fallback: string): number {
  return parse(env, name, `a whole number from ${min} to ${max}`, integerText(min, max), fallback);
}

function parseOrigins(env: Environment): string[] {
  const text = given(env, "CORS_ORIGINS");
  if (text === undefined) return [];
  const origins = text.split(",").map((origin) => origin.trim());
  const areOrigins = origins.every((origin) => URL.canParse(origin) && new URL(origin).origin === origin);
  if (!areOrigins)
    throw new ConfigError("CORS_ORIGINS", "origins such as https://app.example, separated by commas", text);
  return origins;
}

/** Allows the characters of a bearer token (RFC 6750), and requires a length that is hard to guess. */
function parseMetricsToken(env: Environment): string | undefined {
  const token = given(env, "METRICS_TOKEN");
  if (token === undefined || METRICS_TOKEN.test(token)) return token;
  throw new ConfigError("METRICS_TOKEN", "16 or more characters out of A–Z a–z 0–9 - . _ ~ + / =", "…");
}

function parseAccess(env: Environment): AccessConfig {
  const secret = given(env, "AUTH_JWT_SECRET");
  const jwksUrl = given(env, "AUTH_JWKS_URL");
  if (secret !== undefined && jwksUrl !== undefined) {
    throw new ConfigError("AUTH_JWKS_URL", "unset when AUTH_JWT_SECRET is set (a token has one issuer)", jwksUrl);
  }
  if (secret !== undefined) return { mode: "issuer", secret };
  if (jwksUrl === undefined) return { mode: "demo" };
  const url = z.url({ protocol: /^https?$/ }).safeParse(jwksUrl);
  if (!url.success) throw new ConfigError("AUTH_JWKS_URL", "an http or https URL", jwksUrl);
  return { mode: "issuer", jwksUrl: new URL(url.data) };
}

function parseRedisUrl(env: Environment): string | undefined {
  const redisUrl = given(env, "REDIS_URL");
  if (redisUrl === undefined) return undefined;
  if (!parseRedisAddress(redisUrl)) throw new ConfigError("REDIS_URL", REDIS_URLS_ALLOWED, withoutPassword(redisUrl));
  return redisUrl;
}

function withoutPassword(url: string): string {
  return url.replace(/:[^:@/]*@/g, ":…@");
}

/** In demo mode anyone can sign in as any client, so the server listens on loopback only, unless HOST is set. */
function parseHosts(env: Environment, access: AccessConfig): string[] {
  const host = given(env, "HOST");
  if (host !== undefined) return [host];
  return access.mode === "demo" ? LOOPBACK : ALL_ADDRESSES;
}

function parseContactCount(argv: readonly string[]): number | undefined {
  const allowed = integerText(1, 100_000);
  const options = { contacts: { type: "string" } } as const;
  let contacts: string | undefined;
  try {
    ({ contacts } = parseArgs({ args: [...argv], options }).values);
  } catch {
    throw new ConfigError("The argument", "--contacts with a number", argv.join(" "));
  }
  if (contacts === undefined) return undefined;
  const count = allowed.safeParse(contacts);
  if (!count.success) throw new ConfigError("--contacts", "a whole number from 1 to 100000", contacts);
  return count.data;
}

function parse<Output>(
  env: Environment,
  name: string,
  allowed: string,
  schema: z.ZodType<Output, string>,
  fallback: string,
): Output {
  const value = given(env, name) ?? fallback;
  const result = schema.safeParse(value);
  if (!result.success) throw new ConfigError(name, allowed, value);
  return result.data;
}

/** Treats an empty variable as unset, because shells and compose files often set empty ones. */
function given(env: Environment, name: string): string | undefined {
  const value = env[name];
  return value === "" ? undefined : value;
}

function integerText(min: number, max: number) {
  return z
    .string()
    .regex(/^[0-9]+$/)
    .transform(Number)
    .pipe(z.number().min(min).max(max));
}

function randomServerId(): string {
  return `server-${randomBytes(4).toString("hex")}`;
}
