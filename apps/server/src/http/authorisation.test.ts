import { randomUUID } from "node:crypto";
import { RedisServer } from "@presence/gears/testing";
import type { ContactsResponse, Problem } from "@presence/protocol";
import { Redis } from "ioredis";
import { decodeJwt } from "jose";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { registeredRoutes } from "../../test/registered-routes.ts";
import { bearer, problemOf, startTestServer, type TestServer } from "../../test/start-test-server.ts";
import { SHARED_SECRET, secondsFromNow, signWithSecret, tokenOf } from "../../test/tokens.ts";
import { createWebAppFolder } from "../../test/web-app-folder.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const CONNECTION = "connection-of-anouk";

/** What somebody shows who wants what is Anouk's. */
type Credential = "none" | "wrong" | "forged" | "expired" | "signed out" | "another's" | "right";

/** What they get: a status, and where it is a refusal its type. */
type Outcome = number | `${number} ${string}`;

const MODES = ["demo", "issuer"] as const;
type Mode = (typeof MODES)[number];

interface Row extends Record<Mode, Record<Credential, Outcome>> {
  /** As the application registers it. */
  route: string;
  ask: (server: TestServer, token: string | undefined) => Promise<Outcome>;
}

const NOT_THERE = toEach("404 about:blank");

const MATRIX: readonly Row[] = [
  { route: "GET /", ask: get("/"), ...everywhere(toEach(200)) },
  { route: "GET /demo", ask: get("/demo"), ...everywhere(toEach(200)) },
  { route: "GET /^\\/(?!api\\/)/", ask: get("/nothing"), ...everywhere(NOT_THERE) },
  { route: "GET /healthz", ask: get("/healthz"), ...everywhere(toEach(200)) },
  { route: "GET /readyz", ask: get("/readyz"), ...everywhere(toEach(200)) },
  {
    route: "GET /metrics",
    ask: get("/metrics"),
    // Nobody's token of this kind: METRICS_TOKEN is.
    ...everywhere(toEach("401 about:blank")),
  },
  { route: "GET /api/people", ask: get("/api/people"), demo: toEach(200), issuer: NOT_THERE },
  { route: "GET /events/:id", ask: get("/events/anouk"), demo: toEach(200), issuer: NOT_THERE },
  {
    route: "POST /api/sessions",
    ask: async (server, token) =>
      outcomeOf(await server.post("/api/sessions", { client: "anouk" }, { headers: authorization(token) })),
    demo: toEach(201),
    issuer: NOT_THERE,
  },
  { route: "GET /api/contacts", ask: contacts, ...everywhere(toBearers(200)) },
  { route: "GET /api/events", ask: get("/api/events"), ...everywhere(toBearers(200)) },
  {
    route: "GET /api/events",
    ask: (server, token) => get(token === undefined ? "/api/events" : `/api/events?token=${token}`)(server, undefined),
    ...everywhere(toBearers(200)),
  },
  {
    route: "POST /api/events",
    ask: firstWordInChannel,
    ...everywhere({ ...toBearers(200), none: "401 urn:presence:problem:token-invalid" }),
  },
  {
    route: "POST /api/events/pings",
    ask: async (server, token) =>
      outcomeOf(await server.post("/api/events/pings", { connection: CONNECTION }, { headers: authorization(token) })),
    ...everywhere({ ...toBearers(204), "another's": "404 urn:presence:problem:connection-unknown" }),
  },
  {
    route: "DELETE /api/sessions/current",
    ask: async (server, token) =>
      outcomeOf(await server.request("/api/sessions/current", { method: "DELETE", headers: authorization(token) })),
    ...everywhere(toBearers(204)),
  },
];

const HOMES = ["alone", "on Redis"] as const;

afterEach(() => {
  vi.useRealTimers();
});

describe.each(HOMES)("a server %s", (home) => {
  let redisServer: RedisServer | undefined;
  let redis: Redis | undefined;

  beforeAll(async () => {
    if (home === "alone") return;
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
          METRICS_TOKEN: "of-prometheus-alone",
          ...(mode === "issuer" && { AUTH_JWT_SECRET: SHARED_SECRET }),
          ...(redisServer && { REDIS_URL: redisServer.url }),
        },
      });

    it.each(MATRIX.map((row, index) => [row.route, index] as const))(
      "answers %s as it should",
      async (_route, index) => {
        const { ask, [mode]: expected } = MATRIX[index] as Row;
        const server = await start();
        const tokens = await tokensFor(server, mode);
        const stream = await server.openStream(tokens.right, { query: `?connection=${CONNECTION}` });
        await stream.snapshot();
        const outcomes: Partial<Record<Credential, Outcome>> = {};
        for (const [credential, token] of Object.entries(tokens) as [Credential, string | undefined][]) {
          outcomes[credential] = await ask(server, token);
          if (credential !== "right") await expectUntouched(server, tokens.right);
        }
        expect(outcomes).toEqual(expected);
      },
    );
  });
});

it("looks at every route that there is", async () => {
  expect([...new Set(MATRIX.map(({ route }) => route))].sort()).toEqual((await registeredRoutes()).sort());
});

function toEach(outcome: Outcome): Record<Credential, Outcome> {
  return {
    none: outcome,
    wrong: outcome,
    forged: outcome,
    expired: outcome,
    "signed out": outcome,
    "another's": outcome,
    right: outcome,
  };
}

function toBearers(outcome: Outcome): Record<Credential, Outcome> {
  return {
    none: "401 urn:presence:problem:token-missing",
    wrong: "401 urn:presence:problem:token-invalid",
    forged: "401 urn:presence:problem:token-invalid",
    expired: "401 urn:presence:problem:token-expired",
    "signed out": "401 urn:presence:problem:signed-out",
    "another's": outcome,
    right: outcome,
  };
}

function everywhere(outcomes: Record<Credential, Outcome>): Pick<Row, Mode> {
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
    "another's": await sign("omar"),
    // Unlike the one that was signed out, be they made in the same moment.
    right: mode === "demo" ? await server.signIn("anouk") : await signAnew(),
  } satisfies Record<Credential, string | undefined>;
}

function signAnew(): Promise<string> {
  return signWithSecret({ sub: "anouk", exp: secondsFromNow(3_600), jti: randomUUID() });
}

async function signedOutToken(server: TestServer, token: string): Promise<string> {
  expect(await server.signOut(token)).toBe(204);
  return token;
}

/** A token that was good once: in demo mode made by the server itself, two days ago by its clock. */
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

function get(path: string): Row["ask"] {
  return async (server, token) => {
    const ending = new AbortController();
    onTestFinished(() => ending.abort());
    return outcomeOf(await server.request(path, { headers: authorization(token), signal: ending.signal }));
  };
}

/** Whoever it is sees their own list, and no other. */
async function contacts(server: TestServer, token: string | undefined): Promise<Outcome> {
  const response = await server.request("/api/contacts", { headers: authorization(token) });
  const outcome = await outcomeOf(response.clone());
  if (outcome !== 200) return outcome;
  const { client, contacts: listed } = (await response.json()) as ContactsResponse;
  expect(client).toBe(token && decodeJwt(token).sub);
  expect(listed.map((contact) => contact.client)).not.toContain(client);
  return outcome;
}

async function firstWordInChannel(server: TestServer, token: string | undefined): Promise<Outcome> {
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

/** Whatever others tried, Anouk's session and stream go on. */
async function expectUntouched(server: TestServer, token: string): Promise<void> {
  expect((await server.request("/api/contacts", { headers: bearer(token) })).status).toBe(200);
  const ping = await server.post("/api/events/pings", { connection: CONNECTION }, { headers: bearer(token) });
  expect(ping.status).toBe(204);
}
