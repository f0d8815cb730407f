import { randomUUID } from "node:crypto";
import type { ContactsResponse, Problem } from "@presence/protocol";
import { RedisServer } from "@presence/testkit";
import { Redis } from "ioredis";
import { decodeJwt } from "jose";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { registeredRoutes } from "../../test/registered-routes.ts";
import { bearer, problemOf, startTestServer, type TestServer } from "../../test/start-test-server.ts";
import { SHARED_SECRET, secondsFromNow, signWithSecret, tokenOf } from "../../test/tokens.ts";
import { createWebAppFolder } from "../../test/web-app-folder.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const CONNECTION = "connection-of-anouk";

/** What a request for Anouk's resources carries: no token, or which kind of token. */
type Credential = "none" | "wrong" | "forged" | "expired" | "signed out" | "other client's" | "right";

/** The response's status, and the type of its problem if there is one. */
type Outcome = number | `${number} ${string}`;

const MODES = ["demo", "issuer"] as const;
type Mode = (typeof MODES)[number];

interface Row extends Record<Mode, Record<Credential, Outcome>> {
  /** As the application registers it. */
  route: string;
  send: (server: TestServer, token: string | undefined) => Promise<Outcome>;
}

const NOT_FOUND = forAll("404 about:blank");

const MATRIX: readonly Row[] = [
  { route: "GET /", send: get("/"), ...inBothModes(forAll(200)) },
  { route: "GET /demo", send: get("/demo"), ...inBothModes(forAll(200)) },
  { route: "GET /^\\/(?!api\\/)/", send: get("/nothing"), ...inBothModes(NOT_FOUND) },
  { route: "GET /healthz", send: get("/healthz"), ...inBothModes(forAll(200)) },
  { route: "GET /readyz", send: get("/readyz"), ...inBothModes(forAll(200)) },
  {
    route: "GET /metrics",
    send: get("/metrics"),
    // Only METRICS_TOKEN is accepted.
    ...inBothModes(forAll("401 about:blank")),
  },
  { route: "GET /api/people", send: get("/api/people"), demo: forAll(200), issuer: NOT_FOUND },
  { route: "GET /events/:id", send: get("/events/anouk"), demo: forAll(200), issuer: NOT_FOUND },
  {
    route: "POST /api/sessions",
    send: async (server, token) =>
      outcomeOf(await server.post("/api/sessions", { client: "anouk" }, { headers: authorization(token) })),
    demo: forAll(201),
    issuer: NOT_FOUND,
  },
  { route: "GET /api/contacts", send: contacts, ...inBothModes(withToken(200)) },
  { route: "GET /api/events", send: get("/api/events"), ...inBothModes(withToken(200)) },
  {
    route: "GET /api/events",
    send: (server, token) => get(token === undefined ? "/api/events" : `/api/events?token=${token}`)(server, undefined),
    ...inBothModes(withToken(200)),
  },
  {
    route: "POST /api/events",
    send: openMultiplexed,
    ...inBothModes({ ...withToken(200), none: "401 urn:presence:problem:token-invalid" }),
  },
  {
    route: "POST /api/events/pings",
    send: async (server, token) =>
      outcomeOf(await server.post("/api/events/pings", { connection: CONNECTION }, { headers: authorization(token) })),
    ...inBothModes({ ...withToken(204), "other client's": "404 urn:presence:problem:connection-unknown" }),
  },
  {
    route: "DELETE /api/sessions/current",
    send: async (server, token) =>
      outcomeOf(await server.request("/api/sessions/current", { method: "DELETE", headers: authorization(token) })),
    ...inBothModes(withToken(204)),
  },
];

const PLATFORMS = ["standalone", "with Redis"] as const;

afterEach(() => {
  vi.useRealTimers();
});

describe.each(PLATFORMS)("a server, %s", (platform) => {
  let redisServer: RedisServer | undefined;
  let redis: Redis | undefined;

  beforeAll(async () => {
    if (platform === "standalone") return;
    redisServer = await RedisServer.start();
    redis = new Redis(redisServer.url);
  });

  beforeEach(async () => void (await redis?.flushall()));

  afterAll(async () => {
    redis?.disconnect();
    await redisServer?.stop();
  });

  describe.each(MODES)("in %s mode", (mode) => {
    const start = async () =>
      startTestServer({
        webAppFolder: await createWebAppFolder(),
        env: {
          METRICS_TOKEN: "metrics-token-0001",
          ...(mode === "issuer" && { AUTH_JWT_SECRET: SHARED_SECRET }),
          ...(redisServer && { REDIS_URL: redisServer.url }),
        },
      });

    it.each(MATRIX.map((row, index) => [row.route, index] as const))("authorizes %s", async (_route, index) => {
      const { send, [mode]: expected } = MATRIX[index] as Row;
      const server = await start();
      const tokens = await tokensFor(server, mode);
      const stream = await server.openStream(tokens.right, { query: `?connection=${CONNECTION}` });
      await stream.snapshot();
      const outcomes: Partial<Record<Credential, Outcome>> = {};
      for (const [credential, token] of Object.entries(tokens) as [Credential, string | undefined][]) {
        outcomes[credential] = await send(server, token);
        if (credential !== "right") await expectSessionIntact(server, tokens.right);
      }
      expect(outcomes).toEqual(expected);
    });
  });
});

it("covers every registered route", async () => {
  expect([...new Set(MATRIX.map(({ route }) => route))].sort()).toEqual((await registeredRoutes()).sort());
});

function forAll(outcome: Outcome): Record<Credential, Outcome> {
  return {
    none: outcome,
    wrong: outcome,
    forged: outcome,
    expired: outcome,
    "signed out": outcome,
    "other client's": outcome,
    right: outcome,
  };
}

function withToken(outcome: Outcome): Record<Credential, Outcome> {
  return {
    none: "401 urn:presence:problem:token-missing",
    wrong: "401 urn:presence:problem:token-invalid",
    forged: "401 urn:presence:problem:token-invalid",
    expired: "401 urn:presence:problem:token-expired",
    "signed out": "401 urn:presence:problem:signed-out",
    "other client's": outcome,
    right: outcome,
  };
}

function inBothModes(outcomes: Record<Credential, Outcome>): Pick<Row, Mode> {
  return { demo: outcomes, issuer: outcomes };
}

async function tokensFor(server: TestServer, mode: Mode) {
  const sign = mode === "demo" ? (client: string) => server.signIn(client) : tokenOf;
  const signedOut = await signedOutToken(server, await sign("anouk"));
  return {
    none: undefined,
    wrong: "not-a-token",
    forged: await signWithSecret(
      { iss: "presence-demo", sub: "anouk", exp: secondsFromNow(3_600), jti: randomUUID() },
      `not-${SHARED_SECRET}`,
    ),
    expired: await expiredToken(server, mode),
    "signed out": signedOut,
    "other client's": await sign("omar"),
    // It must differ from the signed-out token, even if both are created in the same second.
    right: mode === "demo" ? await server.signIn("anouk") : await signUnique(),
  } satisfies Record<Credential, string | undefined>;
}

function signUnique(): Promise<string> {
  return signWithSecret({ sub: "anouk", exp: secondsFromNow(3_600), jti: randomUUID() });
}

async function signedOutToken(server: TestServer, token: string): Promise<string> {
  expect(await server.signOut(token)).toBe(204);
  return token;
}

/** An expired token. In demo mode the server issues it while its clock is two days behind. */
async function expiredToken(server: TestServer, mode: Mode): Promise<string> {
  if (mode === "issuer") return await signWithSecret({ sub: "anouk", exp: secondsFromNow(-60) });
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() - 2 * DAY_MS });
  const token = await server.signIn("anouk");
  vi.useRealTimers();
  return token;
}

function authorization(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : bearer(token);
}

function get(path: string): Row["send"] {
  return async (server, token) => {
    const ending = new AbortController();
    onTestFinished(() => ending.abort());
    return outcomeOf(await server.request(path, { headers: authorization(token), signal: ending.signal }));
  };
}

/** Also checks that the client sees its own list and not another one. */
async function contacts(server: TestServer, token: string | undefined): Promise<Outcome> {
  const response = await server.request("/api/contacts", { headers: authorization(token) });
  const outcome = await outcomeOf(response.clone());
  if (outcome !== 200) return outcome;
  const { client, contacts: listed } = (await response.json()) as ContactsResponse;
  expect(client).toBe(token && decodeJwt(token).sub);
  expect(listed.map((contact) => contact.client)).not.toContain(client);
  return outcome;
}

async function openMultiplexed(server: TestServer, token: string | undefined): Promise<Outcome> {
  const stream = await server.openMultiplexedStream([{ token: token ?? "" }]);
  const { event, data } = await stream.next((message) => message.event !== "channel");
  return event === "channel-end" ? refusal(data.problem) : stream.response.status;
}

async function outcomeOf(response: Response): Promise<Outcome> {
  return response.ok ? response.status : refusal(await problemOf(response));
}

function refusal({ status, type }: Problem): Outcome {
  return `${status} ${type}`;
}

/** Checks that the requests have not ended Anouk's session or stream. */
async function expectSessionIntact(server: TestServer, token: string): Promise<void> {
  expect((await server.request("/api/contacts", { headers: bearer(token) })).status).toBe(200);
  const ping = await server.post("/api/events/pings", { connection: CONNECTION }, { headers: bearer(token) });
  expect(ping.status).toBe(204);
}
