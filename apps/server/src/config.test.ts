import { REDIS_URLS_ALLOWED } from "@presence/gears";
import { describe, expect, it } from "vitest";
import { ConfigError, parseConfig } from "./config.ts";

describe("parseConfig", () => {
  it("has defaults for all settings", () => {
    expect(parseConfig({}, [])).toEqual({
      port: 8080,
      hosts: ["127.0.0.1", "::1"],
      serverId: expect.stringMatching(/^server-[0-9a-f]{8}$/),
      heartbeatIntervalMs: 5_000,
      redisUrl: undefined,
      hostsTriggers: true,
      partitionCount: 12,
      access: { mode: "demo" },
      logLevel: "info",
      contactCount: undefined,
      limits: {
        maxConnections: 50_000,
        maxConnectionsPerAddress: 1_000,
        maxConnectionsPerClient: 100,
        maxNewConnectionsPerSecond: 2_000,
        maxRequestsPerSecond: 100,
        maxHeaderBytes: 16_384,
        maxContacts: 10_000,
        maxTokenLifetimeMs: 86_400_000,
      },
      trustedProxies: 0,
      corsOrigins: [],
      metricsToken: undefined,
    });
  });

  it("parses all settings", () => {
    const env = {
      PORT: "0",
      HOST: "0.0.0.0",
      SERVER_ID: "paris_1",
      HEARTBEAT_INTERVAL_MS: "250",
      AUTH_JWT_SECRET: "s3cret",
      LOG_LEVEL: "trace",
      REDIS_URL: "rediss://user:secret@redis.example:6380/1",
      TRIGGERS: "elsewhere",
      MAX_CONNECTIONS: "1",
      MAX_CONNECTIONS_PER_ADDRESS: "2",
      MAX_CONNECTIONS_PER_CLIENT: "3",
      MAX_NEW_CONNECTIONS_PER_SECOND: "4",
      MAX_REQUESTS_PER_SECOND: "5",
      MAX_HEADER_BYTES: "1024",
      MAX_CONTACTS: "7",
      MAX_TOKEN_LIFETIME_MS: "8000",
      TRUST_PROXY: "2",
      CORS_ORIGINS: "https://app.example, http://localhost:5173",
      METRICS_TOKEN: "metrics-token-0001",
      REDIS_PARTITIONS: "24",
    };
    expect(parseConfig(env, ["--contacts", "5000"])).toEqual({
      port: 0,
      hosts: ["0.0.0.0"],
      serverId: "paris_1",
      heartbeatIntervalMs: 250,
      redisUrl: "rediss://user:secret@redis.example:6380/1",
      hostsTriggers: false,
      partitionCount: 24,
      access: { mode: "issuer", secret: "s3cret" },
      logLevel: "trace",
      contactCount: 5_000,
      limits: {
        maxConnections: 1,
        maxConnectionsPerAddress: 2,
        maxConnectionsPerClient: 3,
        maxNewConnectionsPerSecond: 4,
        maxRequestsPerSecond: 5,
        maxHeaderBytes: 1_024,
        maxContacts: 7,
        maxTokenLifetimeMs: 8_000,
      },
      trustedProxies: 2,
      corsOrigins: ["https://app.example", "http://localhost:5173"],
      metricsToken: "metrics-token-0001",
    });
  });

  it("does not show the password of an invalid REDIS_URL", () => {
    expect(() => parseConfig({ REDIS_URL: "http://user:secret@redis.example" }, [])).toThrow(/^REDIS_URL(?!.*secret)/);
  });

  it("parses AUTH_JWKS_URL", () => {
    const { access } = parseConfig({ AUTH_JWKS_URL: "https://issuer.example/jwks" }, []);
    expect(access).toEqual({ mode: "issuer", jwksUrl: new URL("https://issuer.example/jwks") });
  });

  it("generates a different server id each time", () => {
    expect(parseConfig({}, []).serverId).not.toBe(parseConfig({}, []).serverId);
  });

  it("treats an empty variable as unset", () => {
    const config = parseConfig({ PORT: "", HOST: "", AUTH_JWT_SECRET: "", AUTH_JWKS_URL: "", LOG_LEVEL: "" }, []);
    expect(config).toMatchObject({ port: 8080, hosts: ["127.0.0.1", "::1"], access: { mode: "demo" } });
  });

  it("listens on loopback in demo mode, and on all addresses in issuer mode, unless HOST is set", () => {
    expect(parseConfig({ AUTH_JWT_SECRET: "s3cret" }, []).hosts).toEqual(["::"]);
    expect(parseConfig({ AUTH_JWT_SECRET: "s3cret", HOST: "127.0.0.1" }, []).hosts).toEqual(["127.0.0.1"]);
    expect(parseConfig({ HOST: "0.0.0.0" }, []).hosts).toEqual(["0.0.0.0"]);
  });

  it.each([
    ["0", 0],
    ["65535", 65_535],
  ])("accepts PORT=%s", (text, port) => {
    expect(parseConfig({ PORT: text }, []).port).toBe(port);
  });

  it.each([
    ["100", 100],
    ["600000", 600_000],
  ])("accepts HEARTBEAT_INTERVAL_MS=%s", (text, ms) => {
    expect(parseConfig({ HEARTBEAT_INTERVAL_MS: text }, []).heartbeatIntervalMs).toBe(ms);
  });

  const invalid: [string, string, string][] = [
    ["PORT", "65536", "a whole number from 0 to 65535"],
    ["PORT", "-1", "a whole number from 0 to 65535"],
    ["PORT", "80.5", "a whole number from 0 to 65535"],
    ["PORT", "http", "a whole number from 0 to 65535"],
    ["PORT", "0x50", "a whole number from 0 to 65535"],
    ["PORT", " 80", "a whole number from 0 to 65535"],
    ["SERVER_ID", "a/b", "1 to 64 characters out of A–Z a–z 0–9 . _ ~ -"],
    ["SERVER_ID", "x".repeat(65), "1 to 64 characters out of A–Z a–z 0–9 . _ ~ -"],
    ["HEARTBEAT_INTERVAL_MS", "99", "a whole number of milliseconds from 100 to 600000"],
    ["HEARTBEAT_INTERVAL_MS", "600001", "a whole number of milliseconds from 100 to 600000"],
    ["HEARTBEAT_INTERVAL_MS", "5s", "a whole number of milliseconds from 100 to 600000"],
    ["HEARTBEAT_INTERVAL_MS", "Infinity", "a whole number of milliseconds from 100 to 600000"],
    ["AUTH_JWKS_URL", "issuer.example/jwks", "an http or https URL"],
    ["AUTH_JWKS_URL", "file:///etc/passwd", "an http or https URL"],
    ["AUTH_JWKS_URL", "ftp://issuer.example/jwks", "an http or https URL"],
    ["TRIGGERS", "nowhere", "here or elsewhere"],
    ["REDIS_URL", "localhost:6379", REDIS_URLS_ALLOWED],
    ["REDIS_URL", "redis://a:1,http://b:2", REDIS_URLS_ALLOWED],
    ["MAX_CONNECTIONS", "0", "a whole number from 1 to 1000000"],
    ["MAX_CONNECTIONS_PER_CLIENT", "many", "a whole number from 1 to 1000000"],
    ["MAX_HEADER_BYTES", "12", "a whole number from 1024 to 1048576"],
    ["MAX_TOKEN_LIFETIME_MS", "1h", "a whole number from 1000 to 31536000000"],
    ["TRUST_PROXY", "true", "a whole number from 0 to 10"],
    ["CORS_ORIGINS", "*", "origins such as https://app.example, separated by commas"],
    ["CORS_ORIGINS", "https://app.example/", "origins such as https://app.example, separated by commas"],
    ["LOG_LEVEL", "verbose", "one of fatal, error, warn, info, debug, trace, silent"],
    ["LOG_LEVEL", "INFO", "one of fatal, error, warn, info, debug, trace, silent"],
  ];

  it.each(invalid)("rejects %s=%s with one line that names the allowed values", (name, value, allowed) => {
    const message = messageOf(() => parseConfig({ [name]: value }, []));
    expect(message).toBe(`${name} must be ${allowed}, not ${JSON.stringify(value)}.`);
    expect(message).not.toContain("\n");
  });

  it("reports an invalid value that contains line breaks in one line", () => {
    expect(messageOf(() => parseConfig({ SERVER_ID: "a\nb" }, []))).not.toContain("\n");
  });

  it("rejects two issuers, without the secret in the message", () => {
    const message = messageOf(() =>
      parseConfig({ AUTH_JWT_SECRET: "s3cret", AUTH_JWKS_URL: "https://issuer.example/jwks" }, []),
    );
    expect(message).toMatch(/^AUTH_JWKS_URL must be unset when AUTH_JWT_SECRET is set/);
    expect(message).not.toContain("s3cret");
  });

  it.each(["guessable", "with spaces in between"])(
    "rejects METRICS_TOKEN=%s, without the token in the message",
    (token) => {
      const message = messageOf(() => parseConfig({ METRICS_TOKEN: token }, []));
      expect(message).toBe('METRICS_TOKEN must be 16 or more characters out of A–Z a–z 0–9 - . _ ~ + / =, not "…".');
    },
  );

  it.each([["0"], ["-5"], ["1.5"], ["many"], ["100001"], [""]])("rejects --contacts=%s", (count) => {
    const message = messageOf(() => parseConfig({}, [`--contacts=${count}`]));
    expect(message).toBe(`--contacts must be a whole number from 1 to 100000, not ${JSON.stringify(count)}.`);
  });

  it.each([[["--contact", "5"]], [["5000"]], [["--contacts"]], [["--contacts", "--verbose"]]])(
    "rejects the arguments %j",
    (argv) => {
      expect(messageOf(() => parseConfig({}, argv))).toMatch(
        /^The argument must be --contacts with a number, not ".*"\.$/,
      );
    },
  );
});

function messageOf(parse: () => unknown): string {
  try {
    parse();
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error("it was accepted");
}
