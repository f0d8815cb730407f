import { describe, expect, it } from "vitest";
import { problemOf, startTestServer, type TestServer } from "../../test/start-test-server.ts";
import { SHARED_SECRET, secondsFromNow, signWithSecret, tokenOf } from "../../test/tokens.ts";

/** The header by which a trusted proxy names the client's address. */
function from(address: string): RequestInit {
  return { headers: { "X-Forwarded-For": address } };
}

async function refusals(server: TestServer, reason: string): Promise<number> {
  return server.metric(`presence_refused_total{reason="${reason}"}`);
}

describe("admission limits", () => {
  it("keeps open connections when the server is full, and admits a new one after one has closed", async () => {
    const server = await startTestServer({ env: { MAX_CONNECTIONS: "2" } });
    const anouk = await server.openTerminalStream("anouk");
    const magali = await server.openTerminalStream("magali");
    const refused = await server.request("/events/omar");
    expect(refused.headers.get("retry-after")).toMatch(/^[1-5]$/);
    expect(await problemOf(refused)).toMatchObject({ status: 503, type: "urn:presence:problem:server-full" });
    expect(await refusals(server, "connections")).toBe(1);
    expect(await server.metric("presence_connections")).toBe(2);
    await magali.close();
    await expect.poll(() => server.metric("presence_connections")).toBe(1);
    const omar = await server.openTerminalStream("omar");
    await anouk.presence("omar", "ONLINE");
    await omar.close();
  });

  it("limits the connections of one client", async () => {
    const server = await startTestServer({ env: { MAX_CONNECTIONS_PER_CLIENT: "2" } });
    await server.openTerminalStream("anouk");
    const second = await server.openTerminalStream("anouk");
    const refused = await server.request("/events/anouk");
    expect(refused.headers.get("retry-after")).not.toBeNull();
    expect(await problemOf(refused)).toMatchObject({ status: 429 });
    await server.openTerminalStream("magali");
    await second.close();
    await expect.poll(async () => (await server.request("/events/anouk", { method: "HEAD" })).status).toBe(200);
  });

  it("counts each stream of a multiplexed response and refuses only those over the limit", async () => {
    const server = await startTestServer({ env: { MAX_CONNECTIONS_PER_CLIENT: "2" } });
    const token = await server.signIn("anouk");
    const streams = [{ token }, { token }, { token }];
    const ending = new AbortController();
    const response = await server.post("/api/events", { streams }, { signal: ending.signal });
    expect(response.status).toBe(200);
    await expect.poll(() => server.metric("presence_connections")).toBe(2);
    expect(await refusals(server, "connections-of-client")).toBe(1);
    ending.abort();
    await expect.poll(() => server.metric("presence_connections")).toBe(0);
    await server.openTerminalStream("anouk");
  });

  it("answers 429 with Retry-After if no stream of a multiplexed response is admitted", async () => {
    const server = await startTestServer({ env: { MAX_CONNECTIONS_PER_CLIENT: "1" } });
    const token = await server.signIn("anouk");
    await server.openTerminalStream("anouk");
    const refused = await server.post("/api/events", { streams: [{ token }, { token }] });
    expect(refused.headers.get("retry-after")).toMatch(/^[1-5]$/);
    expect(await problemOf(refused)).toMatchObject({ status: 429 });
    const streams = [{ token }, { token: await server.signIn("magali") }];
    const partly = await server.openMultiplexedStream(streams);
    expect(await partly.channelEnd(0)).toMatchObject({ problem: { status: 429 } });
    await partly.snapshot(1);
  });

  it("limits the connections of one address, as named by a trusted proxy", async () => {
    const server = await startTestServer({ env: { MAX_CONNECTIONS_PER_ADDRESS: "1", TRUST_PROXY: "1" } });
    const ending = new AbortController();
    const first = await server.request("/events/anouk", { ...from("192.0.2.1"), signal: ending.signal });
    expect(first.status).toBe(200);
    const refused = await server.request("/events/magali", from("192.0.2.1"));
    expect(await problemOf(refused)).toMatchObject({ status: 429 });
    const other = new AbortController();
    expect((await server.request("/events/omar", { ...from("192.0.2.2"), signal: other.signal })).status).toBe(200);
    ending.abort();
    other.abort();
    await expect
      .poll(async () => (await server.request("/events/magali", { ...from("192.0.2.1"), method: "HEAD" })).status)
      .toBe(200);
  });

  it("ignores X-Forwarded-For if no proxy is trusted", async () => {
    const server = await startTestServer({ env: { MAX_REQUESTS_PER_SECOND: "1" } });
    for (let index = 0; index < 5; index += 1) {
      expect((await server.request("/healthz", from("192.0.2.1"))).status).toBe(200);
    }
  });

  it("limits new connections per second", async () => {
    const server = await startTestServer({ env: { MAX_NEW_CONNECTIONS_PER_SECOND: "2" } });
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => server.request("/events/anouk", { method: "HEAD" })),
    );
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(2);
    expect(statuses).toContain(503);
    await expect.poll(async () => (await server.request("/events/anouk", { method: "HEAD" })).status).toBe(200);
  });

  it("limits the requests per second of one address", async () => {
    const server = await startTestServer({ env: { MAX_REQUESTS_PER_SECOND: "3", TRUST_PROXY: "1" } });
    const ask = (address: string) => server.request("/api/contacts", from(address));
    const statuses = (await Promise.all(Array.from({ length: 20 }, () => ask("192.0.2.1")))).map(
      ({ status }) => status,
    );
    expect(statuses).toContain(429);
    expect(statuses).toContain(401);
    expect((await ask("192.0.2.2")).status).toBe(401);
    await expect.poll(async () => (await ask("192.0.2.1")).status).toBe(401);
  });

  it.each([
    ["in the same IPv6 /64", "2001:db8:0:1::1", "2001:db8:0:1:ffff::2", 429],
    ["in another IPv6 /64", "2001:db8:0:1::1", "2001:db8:0:2::1", 200],
    ["that is the same IPv4 address, mapped to IPv6", "192.0.2.1", "::ffff:192.0.2.1", 429],
    ["that is another IPv4 address, mapped to IPv6", "::ffff:192.0.2.1", "::ffff:192.0.2.2", 200],
  ])("limits connections by address: a second one from an address %s", async (_name, first, second, status) => {
    const server = await startTestServer({ env: { MAX_CONNECTIONS_PER_ADDRESS: "1", TRUST_PROXY: "1" } });
    const ending = new AbortController();
    expect((await server.request("/events/anouk", { ...from(first), signal: ending.signal })).status).toBe(200);
    expect((await server.request("/events/magali", { ...from(second), method: "HEAD" })).status).toBe(status);
    ending.abort();
  });

  it("returns 431 for headers that are too large", async () => {
    const server = await startTestServer({ env: { MAX_HEADER_BYTES: "2048" } });
    const small = await server.request("/healthz", { headers: { "X-Padding": "x".repeat(1_000) } });
    expect(small.status).toBe(200);
    const large = await server.request("/healthz", { headers: { "X-Padding": "x".repeat(3_000) } });
    expect(await problemOf(large)).toMatchObject({ status: 431 });
  });

  it("returns 422 with the limit for a contact list that is too long", async () => {
    const server = await startTestServer({ env: { MAX_CONTACTS: "1" } });
    const refused = await server.request("/events/anouk");
    const problem = await problemOf(refused);
    expect(problem).toMatchObject({ status: 422, type: "urn:presence:problem:contact-list-too-long" });
    expect(problem.detail).toContain("at most 1 contacts");
    // The limit is about documents, and a guest has none.
    await server.openTerminalStream("a-guest");
  });

  it("returns 401 for a token whose lifetime is too long", async () => {
    const server = await startTestServer({
      env: { AUTH_JWT_SECRET: SHARED_SECRET, MAX_TOKEN_LIFETIME_MS: String(2 * 3_600_000) },
    });
    const long = await signWithSecret({ sub: "anouk", exp: secondsFromNow(3 * 3_600) });
    const answer = (token: string) =>
      server.request("/api/contacts", { headers: { Authorization: `Bearer ${token}` } });
    expect(await problemOf(await answer(long))).toMatchObject({
      status: 401,
      detail: expect.stringContaining("7200 s"),
    });
    expect((await answer(await tokenOf("anouk"))).status).toBe(200);
  });
});
