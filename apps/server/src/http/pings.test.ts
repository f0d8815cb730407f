import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { bearer, problemOf, startTestServer, type TestServer } from "../../test/start-test-server.ts";

const D_MS = 1_000;
/** How much later than specified an event may arrive on a slow machine. */
const SLACK_MS = 1_000;
const PING_ID = "a-tab.with_an-id~0001";
const UNKNOWN = { type: "urn:presence:problem:connection-unknown", status: 404 };

describe("POST /api/events/pings", () => {
  it("returns 204 for a connection of the caller", async () => {
    const server = await startTestServer();
    const token = await server.signIn("anouk");
    const stream = await server.openStream(token, { query: `?connection=${PING_ID}` });
    await stream.snapshot();
    const response = await ping(server, token, PING_ID);
    expect(response.status).toBe(204);
    expect(await response.text()).toBe("");
    // Another token of the same client is accepted too.
    expect((await ping(server, await server.signIn("anouk"), PING_ID)).status).toBe(204);
  });

  it("returns 204 for each client of a multiplexed response", async () => {
    const server = await startTestServer();
    const [anouk, omar, magali] = await Promise.all(["anouk", "omar", "magali"].map((id) => server.signIn(id)));
    if (!anouk || !omar || !magali) throw new Error("three tokens");
    const stream = await server.openMultiplexedStream([{ token: anouk }, { token: omar }], {
      query: `?connection=${PING_ID}`,
    });
    await stream.snapshot(1);
    expect((await ping(server, anouk, PING_ID)).status).toBe(204);
    expect((await ping(server, omar, PING_ID)).status).toBe(204);
    expect(await problemOf(await ping(server, magali, PING_ID))).toMatchObject(UNKNOWN);
  });

  it("returns 404 for an unknown connection and for another client's connection", async () => {
    const server = await startTestServer();
    const [anouk, omar] = [await server.signIn("anouk"), await server.signIn("omar")];
    const stream = await server.openStream(anouk, { query: `?connection=${PING_ID}` });
    await stream.snapshot();
    for (const response of [await ping(server, anouk, "no-such-connection"), await ping(server, omar, PING_ID)]) {
      expect(response.status).toBe(404);
      expect(await problemOf(response)).toMatchObject(UNKNOWN);
    }
    await stream.close();
    await expect.poll(async () => (await ping(server, anouk, PING_ID)).status).toBe(404);
  });

  it("returns 401 without a token", async () => {
    const server = await startTestServer();
    const response = await server.post("/api/events/pings", { connection: PING_ID });
    expect(response.status).toBe(401);
    expect(await problemOf(response)).toMatchObject({ type: "urn:presence:problem:token-missing" });
  });

  it.each([{}, { connection: 5 }, { connection: PING_ID, client: "omar" }, [PING_ID], null])(
    "returns 400 for the body %j",
    async (body) => {
      const server = await startTestServer();
      const response = await server.post("/api/events/pings", body, { headers: bearer(await server.signIn("anouk")) });
      expect(response.status).toBe(400);
      expect(await problemOf(response)).toMatchObject({ status: 400 });
    },
  );

  it("returns 405 for other methods", async () => {
    const server = await startTestServer();
    const response = await server.request("/api/events/pings");
    expect(response.headers.get("allow")).toBe("POST");
    expect(await problemOf(response)).toMatchObject({ status: 405 });
  });
});

describe("?connection=", () => {
  it.each([
    "short",
    "x".repeat(65),
    "with%20spaces%20in%20it",
    "slash/slash/slash/slash",
    "",
    `${PING_ID}&connection=${PING_ID}`,
  ])("returns 400 for %j", async (value) => {
    const server = await startTestServer();
    const token = await server.signIn("anouk");
    const single = await server.request(`/api/events?connection=${value}`, { headers: bearer(token) });
    const multiplexed = await server.post(`/api/events?connection=${value}`, { streams: [{ token }] });
    for (const response of [single, multiplexed]) {
      expect(response.status).toBe(400);
      expect(await problemOf(response)).toMatchObject({ detail: expect.stringContaining("?connection=") });
    }
    expect(await server.metric("presence_connections")).toBe(0);
  });
});

describe("a connection with a ping id", () => {
  it("is closed without pings, and its client is OFFLINE within 3 × d; other connections stay open", async () => {
    const server = await startTestServer({ env: { HEARTBEAT_INTERVAL_MS: String(D_MS) } });
    const watcher = await server.openTerminalStream("noor");
    const pingedToken = await server.signIn("kenji");
    const pingedStream = await server.openStream(pingedToken, { query: "?connection=pinged-connection-1" });
    const withoutPingId = await server.openStream(await server.signIn("omar"));
    const multiplexed = await server.openMultiplexedStream([{ token: await server.signIn("magali") }], {
      query: "?connection=silent-connection-2",
    });
    const silent = await server.openStream(await server.signIn("anouk"), { query: "?connection=silent-connection-1" });
    await silent.snapshot();
    const lastActivityMs = performance.now();
    const pings = new AbortController();
    const pinging = keepPinging(server, pingedToken, "pinged-connection-1", pings.signal);

    expect(await silent.over).toBe("cut");
    expect(await multiplexed.over).toBe("cut");
    const offline = await watcher.next(
      (m) => m.event === "presence" && m.data.client === "anouk" && m.data.status === "OFFLINE",
    );
    const afterMs = offline.receivedMs - lastActivityMs;
    expect(afterMs).toBeLessThanOrEqual(3 * D_MS + SLACK_MS);
    expect(afterMs).toBeGreaterThanOrEqual(1.3 * D_MS);

    // The other streams still receive events.
    await (await server.openTerminalStream("wei")).close();
    await watcher.presence("wei", "OFFLINE");
    const gone = watcher.changes().filter((change) => change.endsWith("OFFLINE"));
    expect(gone.sort()).toEqual(["anouk OFFLINE", "magali OFFLINE", "wei OFFLINE"]);
    await pingedStream.presence("wei", "OFFLINE");
    await withoutPingId.presence("wei", "OFFLINE");
    expect(await server.metric('presence_connections_closed_total{reason="ghost"}')).toBe(2);
    pings.abort();
    await pinging;
  });

  it("is closed even if another connection of the same client is pinged", async () => {
    const server = await startTestServer({ env: { HEARTBEAT_INTERVAL_MS: String(D_MS) } });
    const token = await server.signIn("anouk");
    const pinged = await server.openStream(token, { query: "?connection=pinged-connection-1" });
    const silent = await server.openStream(token, { query: "?connection=silent-connection-1" });
    const pings = new AbortController();
    const pinging = keepPinging(server, token, "pinged-connection-1", pings.signal);
    expect(await silent.over).toBe("cut");
    await server.openTerminalStream("omar");
    await pinged.presence("omar", "ONLINE");
    pings.abort();
    await pinging;
  });
});

function ping(server: TestServer, token: string, connection: string): Promise<Response> {
  return server.post("/api/events/pings", { connection }, { headers: bearer(token) });
}

/** Pings every 0.6 × d, like a browser. */
async function keepPinging(server: TestServer, token: string, connection: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await (await ping(server, token, connection)).arrayBuffer();
    await delay(0.6 * D_MS, undefined, { signal }).catch(() => {});
  }
}
