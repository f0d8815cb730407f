import { type ClientId, contactKey, formatEventId, parseEventId } from "@presence/protocol";
import { RedisServer } from "@presence/testkit";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { bearer, startTestServer, type TestServer } from "../../test/start-test-server.ts";
import { SHARED_SECRET, secondsFromNow, signWithSecret, tokenOf } from "../../test/tokens.ts";

/** The observer sees the contact, but not the stranger. */
const OBSERVER = "anouk";
const CONTACT = "omar";
const STRANGER = "zoe";
/** With Redis, the observer is in the stranger's list. In a standalone server, the stranger has no document. */
const LISTS: Readonly<Record<ClientId, readonly ClientId[]>> = {
  [OBSERVER]: [CONTACT],
  [CONTACT]: [OBSERVER],
  [STRANGER]: [OBSERVER, CONTACT],
};
/** The ping id of the stranger's connection. The observer knows it. */
const CONNECTION_OF_STRANGER = "connection-of-the-stranger";
const CONTACT_IS_ONLINE = `{"client":"${CONTACT}","status":"ONLINE"`;
const ONE_SECOND = 1_000_000;
/** How much Redis's clock and this process's clock may differ on one machine. */
const CLOCK_SLACK_MS = 50;

const PLATFORMS = ["standalone", "with Redis"] as const;

it("sends no event of a client without a document to viewers that do not list it, with Redis", async () => {
  const redisServer = await RedisServer.start();
  onTestFinished(() => redisServer.stop());
  const redis = new Redis(redisServer.url);
  onTestFinished(() => redis.disconnect());
  const lists = { alice: ["bob"], carol: ["dave"], dave: [] };
  for (const [id, contacts] of Object.entries(lists)) {
    await redis.set(contactKey(id), JSON.stringify({ id, name: id, contacts }));
  }
  const server = await startTestServer({ env: { AUTH_JWT_SECRET: SHARED_SECRET, REDIS_URL: redisServer.url } });
  const alice = await server.openStream(await tokenOf("alice"));
  const carol = await server.openStream(await tokenOf("carol"));
  await Promise.all([alice.snapshot(), carol.snapshot()]);
  const bob = await tokenOf("bob");
  await server.openStream(bob);
  await alice.presence("bob", "ONLINE");
  await server.signOut(bob);
  await alice.presence("bob", "OFFLINE");
  // An event that carol is sent, after those that she is not.
  await server.openStream(await tokenOf("dave"));
  await carol.presence("dave", "ONLINE");
  expect(carol.changes()).toEqual(["dave ONLINE"]);
});

describe.each(PLATFORMS)("a server, %s", (platform) => {
  let redisServer: RedisServer | undefined;
  let redis: Redis | undefined;

  beforeAll(async () => {
    if (platform === "standalone") return;
    redisServer = await RedisServer.start();
    redis = new Redis(redisServer.url);
  });

  afterAll(async () => {
    redis?.disconnect();
    await redisServer?.stop();
  });

  const startWithoutState = async () => {
    await redis?.flushall();
    for (const [id, contacts] of Object.entries(LISTS)) {
      await redis?.set(contactKey(id), JSON.stringify({ id, name: id, contacts }));
    }
    return await startTestServer({
      env: {
        AUTH_JWT_SECRET: SHARED_SECRET,
        METRICS_TOKEN: "metrics-token-0001",
        ...(redisServer && { REDIS_URL: redisServer.url }),
      },
    });
  };

  it("does not reveal whether a client that is not a contact is online", async () => {
    const first = await startWithoutState();
    const absent = await collectResponses(first, async () => {});
    await first.close();
    const present = await collectResponses(await startWithoutState(), connectStranger);
    expect(present).toEqual(absent);
    expect(JSON.stringify(present)).not.toContain(`"client\\":\\"${STRANGER}`);
  });

  it("sends event ids that reveal the time of the request, and not of another client's connection", async () => {
    const server = await startWithoutState();
    await connectStranger(server);
    const connectedMs = Date.now();
    await expect.poll(() => Date.now()).toBeGreaterThan(connectedMs + CLOCK_SLACK_MS);
    const requestedMs = Date.now();
    const stream = await server.openStream(await tokenOf(OBSERVER));
    await stream.snapshot();
    const versionMs = (parseEventId(stream.lastEventId())?.version ?? 0) / 1_000;
    expect(versionMs).toBeGreaterThan(requestedMs - CLOCK_SLACK_MS);
    expect(versionMs).toBeLessThan(Date.now() + CLOCK_SLACK_MS);
  });
});

/** The stranger connects, signs out, and connects again. */
async function connectStranger(server: TestServer): Promise<void> {
  const token = await tokenOf(STRANGER);
  const visit = await server.openStream(token);
  await visit.snapshot();
  expect(await server.signOut(token)).toBe(204);
  await visit.over;
  const stay = await server.openStream(await uniqueToken(STRANGER), { query: `?connection=${CONNECTION_OF_STRANGER}` });
  await stay.snapshot();
}

/**
 * All responses that the observer can get, without times and random values.
 *
 * @param strangerAction runs after the observer's first stream has opened
 */
async function collectResponses(server: TestServer, strangerAction: (server: TestServer) => Promise<void>) {
  const token = await tokenOf(OBSERVER);
  const since = RawStream.open(server, "/api/events", bearer(token));
  await since.until("event: snapshot");
  const id = parseEventId(/^id: (.+)$/m.exec(since.text)?.[1] ?? "");
  if (!id) throw new Error("a snapshot has an id");
  await strangerAction(server);

  const forged = [
    formatEventId(id),
    formatEventId({ ...id, version: id.version - ONE_SECOND }),
    formatEventId({ ...id, version: 0 }),
    formatEventId({ ...id, version: id.version * 2 }),
    formatEventId({ ...id, epoch: "another" }),
    "garbage",
  ];
  const streams = [
    since,
    RawStream.open(server, "/api/events", bearer(token)),
    ...forged.map((lastEventId) =>
      RawStream.open(server, "/api/events", { ...bearer(token), "Last-Event-ID": lastEventId }),
    ),
  ];
  await Promise.all(streams.map((stream) => stream.until("retry: ")));
  const answers = await Promise.all(REQUESTS.map((ask) => ask(server, token)));
  // Events are ordered: anything caused by the stranger arrives before the contact's ONLINE.
  const contact = await server.openStream(await tokenOf(CONTACT));
  await contact.snapshot();
  await Promise.all(streams.map((stream) => stream.until(CONTACT_IS_ONLINE)));
  return { answers, streams: streams.map(({ text }) => withoutTimes(text)) };
}

const REQUESTS: readonly ((server: TestServer, token: string) => Promise<string>)[] = [
  (server, token) => answerTo(server, "/api/contacts", { headers: bearer(token) }),
  (server, token) => answerTo(server, `/api/contacts?client=${STRANGER}`, { headers: bearer(token) }),
  (server, token) => answerTo(server, `/api/contacts/${STRANGER}`, { headers: bearer(token) }),
  (server, token) => answerTo(server, `/events/${STRANGER}`, { headers: bearer(token) }),
  (server, token) => answerTo(server, "/api/people", { headers: bearer(token) }),
  (server, token) => answerTo(server, "/metrics", { headers: bearer(token) }),
  (server) => answerTo(server, "/readyz"),
  (server) => answerTo(server, "/healthz"),
  (server, token) => answerToPing(server, token, CONNECTION_OF_STRANGER),
  (server, token) => answerToPing(server, token, "unknown-connection-1"),
];

async function answerTo(server: TestServer, path: string, init: RequestInit = {}): Promise<string> {
  const response = await server.request(path, init);
  const headers = [...response.headers].filter(([name]) => name !== "date");
  return withoutTimes(JSON.stringify([response.status, headers, await response.text()]));
}

function answerToPing(server: TestServer, token: string, connection: string): Promise<string> {
  const headers = { ...bearer(token), "Content-Type": "application/json" };
  return answerTo(server, "/api/events/pings", { method: "POST", headers, body: JSON.stringify({ connection }) });
}

/** Replaces times, event ids and random values, which differ between runs. */
function withoutTimes(text: string): string {
  return text
    .replaceAll(/^id: .+$/gm, "id: …")
    .replaceAll(/^retry: \d+$/gm, "retry: …")
    .replaceAll(/(\\?"(?:at|since)\\?":)[1-9]\d*/g, "$1…")
    .replaceAll(/(content-length",")\d+/g, "$1…");
}

/** A token that differs from `tokenOf` of the same second, so that signing that one out does not revoke this one. */
function uniqueToken(client: ClientId): Promise<string> {
  return signWithSecret({ sub: client, exp: secondsFromNow(1_800) });
}

/** A stream's text, unparsed. */
class RawStream {
  text = "";
  #wake: () => void = () => {};
  #failure: unknown;

  static open(server: TestServer, path: string, headers: Record<string, string>): RawStream {
    const stream = new RawStream();
    const ending = new AbortController();
    onTestFinished(() => ending.abort());
    void stream.#read(server, path, { headers, signal: ending.signal });
    return stream;
  }

  /** Resolves when `part` has been received. */
  async until(part: string): Promise<void> {
    while (!this.text.includes(part)) {
      if (this.#failure !== undefined) throw this.#failure;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async #read(server: TestServer, path: string, init: RequestInit): Promise<void> {
    try {
      const response = await server.request(path, init);
      const decoder = new TextDecoder();
      for await (const bytes of response.body ?? []) {
        this.text += decoder.decode(bytes, { stream: true });
        this.#wake();
      }
      this.#failure = new Error("the stream is over");
    } catch (error) {
      this.#failure = error;
    }
    this.#wake();
  }
}
