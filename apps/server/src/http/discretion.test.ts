import { RedisServer } from "@presence/gears/testing";
import { type ClientId, contactKey, formatEventId, parseEventId } from "@presence/protocol";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { bearer, startTestServer, type TestServer } from "../../test/start-test-server.ts";
import { SHARED_SECRET, secondsFromNow, signWithSecret, tokenOf } from "../../test/tokens.ts";

/** Who is curious, whom they may see, and whom they may not. */
const CURIOUS = "anouk";
const CONTACT = "omar";
const STRANGER = "zoe";
/** On Redis, the stranger has them on her list. Alone she has no list, and is on none. */
const LISTS: Readonly<Record<ClientId, readonly ClientId[]>> = {
  [CURIOUS]: [CONTACT],
  [CONTACT]: [CURIOUS],
  [STRANGER]: [CURIOUS, CONTACT],
};
/** Known to the curious, as if they had read it over the stranger's shoulder. */
const CONNECTION_OF_STRANGER = "connection-of-the-stranger";
const ARRIVAL_OF_CONTACT = `{"client":"${CONTACT}","status":"ONLINE"`;
const LONG_AGO = 1_000_000;
/** By how much two clocks of one machine may seem to differ. */
const CLOCK_SLACK_MS = 50;

const HOMES = ["alone", "on Redis"] as const;

describe.each(HOMES)("a server %s", (home) => {
  let redisServer: RedisServer | undefined;
  let redis: Redis | undefined;

  beforeAll(async () => {
    if (home === "alone") return;
    redisServer = await RedisServer.start();
    redis = new Redis(redisServer.url);
  });

  afterAll(async () => {
    redis?.disconnect();
    await redisServer?.stop();
  });

  const startInEmptyWorld = async () => {
    await redis?.flushall();
    for (const [id, contacts] of Object.entries(LISTS)) {
      await redis?.set(contactKey(id), JSON.stringify({ id, name: id, contacts }));
    }
    return await startTestServer({
      env: {
        AUTH_JWT_SECRET: SHARED_SECRET,
        METRICS_TOKEN: "of-prometheus-alone",
        ...(redisServer && { REDIS_URL: redisServer.url }),
      },
    });
  };

  it("tells nobody whether somebody is there who is no contact of theirs", async () => {
    const first = await startInEmptyWorld();
    const absent = await everythingLearned(first, async () => {});
    await first.close();
    const present = await everythingLearned(await startInEmptyWorld(), comeAndGo);
    expect(present).toEqual(absent);
    expect(JSON.stringify(present)).not.toContain(`"client\\":\\"${STRANGER}`);
  });

  it("gives ids that tell when one asked, and not when somebody came", async () => {
    const server = await startInEmptyWorld();
    await comeAndGo(server);
    const cameMs = Date.now();
    await expect.poll(() => Date.now()).toBeGreaterThan(cameMs + CLOCK_SLACK_MS);
    const askedMs = Date.now();
    const stream = await server.openStream(await tokenOf(CURIOUS));
    await stream.snapshot();
    const versionMs = (parseEventId(stream.lastEventId())?.version ?? 0) / 1_000;
    expect(versionMs).toBeGreaterThan(askedMs - CLOCK_SLACK_MS);
    expect(versionMs).toBeLessThan(Date.now() + CLOCK_SLACK_MS);
  });
});

/** The stranger comes, goes, and comes to stay. */
async function comeAndGo(server: TestServer): Promise<void> {
  const token = await tokenOf(STRANGER);
  const visit = await server.openStream(token);
  await visit.snapshot();
  expect(await server.signOut(token)).toBe(204);
  await visit.over;
  const stay = await server.openStream(await tokenAnew(STRANGER), { query: `?connection=${CONNECTION_OF_STRANGER}` });
  await stay.snapshot();
}

/** All that the curious can make the server say, while the stranger does as told, in words that know no time. */
async function everythingLearned(server: TestServer, whatStrangerDoes: (server: TestServer) => Promise<void>) {
  const token = await tokenOf(CURIOUS);
  const since = RawStream.open(server, "/api/events", bearer(token));
  await since.until("event: snapshot");
  const id = parseEventId(/^id: (.+)$/m.exec(since.text)?.[1] ?? "");
  if (!id) throw new Error("a snapshot has an id");
  await whatStrangerDoes(server);

  const forged = [
    formatEventId(id),
    formatEventId({ ...id, version: id.version - LONG_AGO }),
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
  // Whatever the stranger's coming and going makes the server say, it has said before this.
  const contact = await server.openStream(await tokenOf(CONTACT));
  await contact.snapshot();
  await Promise.all(streams.map((stream) => stream.until(ARRIVAL_OF_CONTACT)));
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
  (server, token) => answerToPing(server, token, "connection-of-nobody"),
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

/** Times, places in the order of events, and what is chosen by chance say nothing of anybody. */
function withoutTimes(text: string): string {
  return text
    .replaceAll(/^id: .+$/gm, "id: …")
    .replaceAll(/^retry: \d+$/gm, "retry: …")
    .replaceAll(/(\\?"(?:at|since)\\?":)[1-9]\d*/g, "$1…")
    .replaceAll(/(content-length",")\d+/g, "$1…");
}

/** A token unlike any other, so that it outlives the sign-out of one that was made in the same moment. */
function tokenAnew(client: ClientId): Promise<string> {
  return signWithSecret({ sub: client, exp: secondsFromNow(1_800) });
}

/** A stream as it comes, byte for byte. */
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

  /** Resolves when `part` has come. */
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
