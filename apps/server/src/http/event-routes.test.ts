import { formatEventId, parseEventId } from "@presence/protocol";
import { describe, expect, it } from "vitest";
import { requestTarget } from "../../test/raw-http.ts";
import { problemOf, startTestServer, type TestServer } from "../../test/start-test-server.ts";
import { SHARED_SECRET, secondsFromNow, signWithSecret } from "../../test/tokens.ts";

const PATHS = ["/api/events", "/events/anouk"] as const;

describe.each(PATHS)("GET %s", (path) => {
  it("returns an event stream with headers against buffering and caching", async () => {
    const server = await startTestServer({ env: { HEARTBEAT_INTERVAL_MS: "1234" } });
    const stream = await open(server, path);
    const { headers, status } = stream.response;
    expect(status).toBe(200);
    expect(headers.get("content-type")).toBe("text/event-stream");
    expect(headers.get("cache-control")).toBe("no-store, no-transform");
    expect(headers.get("x-accel-buffering")).toBe("no");
    expect(headers.get("presence-heartbeat-interval")).toBe("1234");
    expect(headers.get("content-length")).toBeNull();
    expect(headers.get("content-encoding")).toBeNull();
  });

  it("starts with a retry field and a snapshot with an id", async () => {
    const server = await startTestServer();
    const before = Date.now();
    const stream = await open(server, path);
    const snapshot = await stream.snapshot();
    expect(snapshot.at).toBeGreaterThanOrEqual(before);
    expect(snapshot.contacts).toContainEqual({ client: "magali", status: "OFFLINE", since: 0 });
    expect(snapshot.contacts.map(({ client }) => client)).not.toContain("anouk");
    expect(parseEventId(stream.lastEventId())).toBeDefined();
    expect(stream.retriesMs).toHaveLength(1);
    // A client must reconnect before its lease expires: at least half an interval of it is left.
    expect(stream.retriesMs[0]).toBeGreaterThanOrEqual(500);
    expect(stream.retriesMs[0]).toBeLessThanOrEqual(1_500);
    expect(stream.messages).toHaveLength(1);
    expect(stream.malformed).toEqual([]);
  });

  it("sends each change with an id", async () => {
    const server = await startTestServer();
    const stream = await open(server, path);
    await stream.snapshot();
    const before = stream.lastEventId();
    await server.openTerminalStream("magali");
    const { since } = await stream.presence("magali", "ONLINE");
    expect(since).toBeLessThanOrEqual(Date.now());
    expect(stream.lastEventId()).not.toBe(before);
    expect(stream.malformed).toEqual([]);
  });

  it("sends only the missed changes after a reconnection with Last-Event-ID", async () => {
    const server = await startTestServer();
    const first = await open(server, path);
    await first.snapshot();
    const lastEventId = first.lastEventId();
    await first.close();
    await server.openTerminalStream("magali");
    await server.openTerminalStream("wei");
    const omar = await server.openTerminalStream("omar");
    await omar.snapshot();
    const second = await open(server, path, lastEventId);
    await second.presence("omar", "ONLINE");
    // Wei is not a contact of Anouk.
    expect(second.messages.map(({ event }) => event)).toEqual(["presence", "presence"]);
    expect(second.changes()).toEqual(["magali ONLINE", "omar ONLINE"]);
    expect(second.retriesMs).toHaveLength(1);
  });

  it("sends no snapshot after a reconnection if nothing was missed", async () => {
    const server = await startTestServer();
    const first = await open(server, path);
    await first.snapshot();
    const second = await open(server, path, first.lastEventId());
    await server.openTerminalStream("magali");
    await second.presence("magali", "ONLINE");
    expect(second.messages).toHaveLength(1);
  });

  it.each(["text/html", "application/json", "text/event-stream;q=0", "image/*"])(
    "returns 406 for Accept: %s",
    async (accept) => {
      const server = await startTestServer();
      const response = await server.request(await authorized(server, path), { headers: { Accept: accept } });
      expect(response.status).toBe(406);
      expect(await problemOf(response)).toMatchObject({
        type: "about:blank",
        status: 406,
        detail: expect.stringContaining("text/event-stream"),
      });
      expect(await server.metric("presence_connections")).toBe(0);
    },
  );

  it.each(["*/*", "text/*", "text/event-stream", "text/html, text/event-stream;q=0.5"])(
    "accepts Accept: %s",
    async (accept) => {
      const server = await startTestServer();
      const stream = await open(server, path, undefined, { Accept: accept });
      await stream.snapshot();
    },
  );

  it("answers HEAD without opening a stream", async () => {
    const server = await startTestServer();
    const watcher = await server.openTerminalStream("magali");
    const response = await server.request(await authorized(server, path), { method: "HEAD" });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    expect(await response.text()).toBe("");
    await server.openTerminalStream("omar");
    await watcher.presence("omar", "ONLINE");
    expect(watcher.changes()).toEqual(["omar ONLINE"]);
    expect(await server.metric("presence_connections")).toBe(2);
  });

  it.each([
    ["garbage", "!!"],
    ["empty", ""],
    ["a number", "42"],
    ["very long", "a.".concat("9".repeat(4_000))],
    ["with more digits than a number holds", "abc.9999999999999999"],
    ["negative", "abc.-1"],
    ["of another epoch", "otherepoch.1"],
    ["with spaces", "abc . 12"],
    ["a script", "<script>alert(1)</script>"],
    ["of the epoch __proto__", "__proto__.1"],
  ])("sends a snapshot for a Last-Event-ID that is %s", async (_what, lastEventId) => {
    const server = await startTestServer();
    const stream = await open(server, path, lastEventId);
    expect((await stream.snapshot()).contacts.length).toBeGreaterThan(0);
  });

  it("sends a snapshot for a Last-Event-ID from the future or from before the server started", async () => {
    const server = await startTestServer();
    const stream = await open(server, path);
    await stream.snapshot();
    const { epoch, version } = idOf(stream.lastEventId());
    for (const other of [version + 60_000_000, Number.MAX_SAFE_INTEGER, 0]) {
      const resumed = await open(server, path, formatEventId({ epoch, version: other }));
      await resumed.snapshot();
      expect(resumed.messages[0]?.event).toBe("snapshot");
    }
  });

  it("sends a snapshot for a Last-Event-ID of another server or of an earlier process", async () => {
    const earlier = await startTestServer();
    const old = await open(earlier, path);
    await old.snapshot();
    const server = await startTestServer();
    // This id is newer than all events of the server. Only its epoch shows that it is from another server.
    const foreign = await open(earlier, path);
    await foreign.snapshot();
    for (const lastEventId of [old.lastEventId(), foreign.lastEventId()]) {
      const stream = await open(server, path, lastEventId);
      await stream.snapshot();
      expect(stream.messages[0]?.event).toBe("snapshot");
    }
  });

  it("keeps the client online while one of its streams is open", async () => {
    const server = await startTestServer({ env: { HEARTBEAT_INTERVAL_MS: "200" } });
    const watcher = await server.openTerminalStream("magali");
    const streams = [await open(server, path), await open(server, path), await open(server, path)];
    await watcher.presence("anouk", "ONLINE");
    const [first, second, last] = streams;
    await first?.close();
    await second?.close();
    await expect.poll(() => server.metric("presence_connections")).toBe(2);
    await last?.close();
    await watcher.presence("anouk", "OFFLINE");
    expect(watcher.changes()).toEqual(["anouk ONLINE", "anouk OFFLINE"]);
  });
});

describe("GET /api/events", () => {
  it("accepts the token in the query, because EventSource cannot send headers", async () => {
    const server = await startTestServer();
    const response = await server.request(`/api/events?token=${await server.signIn("anouk")}`);
    expect(response.status).toBe(200);
    await response.body?.cancel();
  });

  it.each(["", "?token=", "?token=a&token=b", "?token[]=a", "?token[x]=a"])(
    "returns 401 token-missing for the query %j",
    async (query) => {
      const server = await startTestServer();
      const response = await server.request(`/api/events${query}`);
      expect(response.status).toBe(401);
      expect(response.headers.get("www-authenticate")).toBe("Bearer");
      expect(await problemOf(response)).toMatchObject({ type: "urn:presence:problem:token-missing" });
    },
  );

  it("returns 401 for two tokens in the query", async () => {
    const server = await startTestServer();
    const token = await server.signIn("anouk");
    const response = await server.request(`/api/events?token=${token}&token=${token}`);
    expect(await problemOf(response)).toMatchObject({ type: "urn:presence:problem:token-missing", status: 401 });
  });

  it("ends when its token expires, and the client becomes OFFLINE", async () => {
    const server = await startTestServer({
      env: { AUTH_JWT_SECRET: SHARED_SECRET, HEARTBEAT_INTERVAL_MS: "200" },
    });
    const token = (client: string, seconds: number) =>
      signWithSecret({ sub: client, exp: Math.floor(secondsFromNow(seconds)) });
    const watcher = await server.openStream(await token("magali", 60));
    // Three to four seconds from now, because expiry times are whole seconds.
    const expiring = await token("anouk", 4);
    const stream = await server.openStream(expiring);
    await watcher.presence("anouk", "ONLINE");
    expect(await stream.over).toBe("ended");
    await watcher.presence("anouk", "OFFLINE");
    const response = await server.request(`/api/events?token=${expiring}`);
    expect(await problemOf(response)).toMatchObject({ type: "urn:presence:problem:token-expired", status: 401 });
    expect(await server.metric('presence_connections_closed_total{reason="token-expired"}')).toBe(1);
  });

  it("sends each client a different reconnection time when the server stops", async () => {
    const server = await startTestServer();
    const streams = await Promise.all(
      Array.from({ length: 8 }, async () => server.openStream(await server.signIn("anouk"))),
    );
    for (const stream of streams) await stream.snapshot();
    await server.close();
    expect(new Set(await Promise.all(streams.map((stream) => stream.over)))).toEqual(new Set(["ended"]));
    const retriesMs = streams.map((stream) => stream.retriesMs.at(-1));
    expect(streams.every((stream) => stream.retriesMs.length === 2)).toBe(true);
    expect(new Set(retriesMs).size).toBeGreaterThan(1);
  });

  it.each(["PUT", "DELETE", "PATCH"])("returns 405 for %s", async (method) => {
    const server = await startTestServer();
    const response = await server.request("/api/events", { method });
    expect(response.headers.get("allow")).toBe("GET, HEAD, POST");
    expect(await problemOf(response)).toMatchObject({ status: 405 });
  });
});

describe("GET /events/{id}", () => {
  it("returns 405 for POST", async () => {
    const server = await startTestServer();
    const response = await server.request("/events/anouk", { method: "POST" });
    expect(response.headers.get("allow")).toBe("GET, HEAD");
    expect(await problemOf(response)).toMatchObject({ status: 405 });
  });

  it.each(["_", "~", "A.b-c_d~e", "x".repeat(64), "__proto__", "constructor", "hasOwnProperty", "..."])(
    "accepts the valid id %s",
    async (id) => {
      const server = await startTestServer();
      const watcher = await server.openTerminalStream("anouk");
      const target = await requestTarget(server, `/events/${id}`, "HEAD");
      expect(target.status).toBe(200);
      const guest = await server.openTerminalStream(id);
      expect((await guest.snapshot()).contacts).toContainEqual(
        expect.objectContaining({ client: "anouk", status: "ONLINE" }),
      );
      await watcher.presence(id, "ONLINE");
      expect(Object.getOwnPropertyNames(Object.prototype)).not.toContain("client");
    },
  );
});

function idOf(text: string) {
  const id = parseEventId(text);
  if (!id) throw new Error(`not an event id: ${text}`);
  return id;
}

/** The path of Anouk's stream, with a token where needed. */
async function authorized(server: TestServer, path: (typeof PATHS)[number]): Promise<string> {
  return path === "/api/events" ? `${path}?token=${await server.signIn("anouk")}` : path;
}

/** Opens Anouk's stream on either path. */
async function open(
  server: TestServer,
  path: (typeof PATHS)[number],
  lastEventId?: string,
  others: Record<string, string> = {},
) {
  const headers = { ...others, ...(lastEventId !== undefined && { "Last-Event-ID": lastEventId }) };
  return path === "/api/events"
    ? server.openStream(await server.signIn("anouk"), { headers })
    : server.openTerminalStream("anouk", { headers });
}
