import type { ContactsResponse } from "@presence/protocol";
import { afterEach, describe, expect, it, vi } from "vitest";
import { Issuer } from "../../test/issuer.ts";
import { bearer, problemOf, startTestServer, type TestServer } from "../../test/start-test-server.ts";
import { SHARED_SECRET, secondsFromNow, signWithSecret, tokenOf, unsignedToken } from "../../test/tokens.ts";

const INVALID = { type: "urn:presence:problem:token-invalid", status: 401 };

afterEach(() => {
  vi.useRealTimers();
});

describe("with AUTH_JWT_SECRET", () => {
  const env = { AUTH_JWT_SECRET: SHARED_SECRET };

  it.each([
    ["GET", "/events/anouk"],
    ["HEAD", "/events/anouk"],
    ["POST", "/api/sessions"],
    ["GET", "/api/sessions"],
    ["GET", "/api/people"],
  ])("returns 404 for %s %s", async (method, path) => {
    const server = await startTestServer({ env });
    const response =
      method === "POST" ? await server.post(path, { client: "anouk" }) : await server.request(path, { method });
    expect(response.status).toBe(404);
    if (method !== "HEAD") expect(await problemOf(response)).toMatchObject({ type: "about:blank", status: 404 });
    expect(await server.metric("presence_connections")).toBe(0);
  });

  it("accepts the issuer's tokens for contacts, streams and sign-out", async () => {
    const server = await startTestServer({ env });
    const token = await tokenOf("anouk");
    expect((await contactsOf(server, token)).contacts).toHaveLength(11);
    const stream = await server.openStream(token);
    await stream.snapshot();
    expect(await server.signOut(token)).toBe(204);
    expect(await stream.over).toBe("ended");
    const refused = await server.request("/api/contacts", { headers: bearer(token) });
    expect(await problemOf(refused)).toMatchObject({ type: "urn:presence:problem:signed-out", status: 401 });
  });

  it("gives a client without a document no contacts, and does not show it to other clients", async () => {
    const server = await startTestServer({ env });
    const watcher = await server.openStream(await tokenOf("anouk"));
    await watcher.snapshot();
    const stranger = await tokenOf("zoe");
    expect(await contactsOf(server, stranger)).toEqual({
      client: "zoe",
      profile: { id: "zoe", name: "zoe" },
      at: expect.any(Number),
      contacts: [],
    });
    const stream = await server.openStream(stranger);
    expect((await stream.snapshot()).contacts).toEqual([]);
    await server.openStream(await tokenOf("omar"));
    await watcher.presence("omar", "ONLINE");
    expect(watcher.changes()).toEqual(["omar ONLINE"]);
    const { contacts } = await contactsOf(server, await tokenOf("anouk"));
    expect(contacts.map(({ client }) => client)).not.toContain("zoe");
    // The client without a document does not see others.
    expect(stream.changes()).toEqual([]);
  });

  it.each([
    [
      "signed with another secret",
      INVALID,
      () => signWithSecret({ sub: "anouk", exp: inAnHour() }, `not-${SHARED_SECRET}`),
    ],
    [
      "that has expired",
      { type: "urn:presence:problem:token-expired", status: 401 },
      () => signWithSecret({ sub: "anouk", exp: secondsFromNow(-60) }),
    ],
    ["without expiry", INVALID, () => signWithSecret({ sub: "anouk" })],
    ["without subject", INVALID, () => signWithSecret({ exp: inAnHour() })],
    ["with an invalid subject", INVALID, () => signWithSecret({ sub: "an ouk", exp: inAnHour() })],
    ["with a subject that is too long", INVALID, () => signWithSecret({ sub: "x".repeat(65), exp: inAnHour() })],
    ["with alg: none", INVALID, () => unsignedToken({ sub: "anouk", exp: inAnHour() })],
    ["that is truncated", INVALID, async () => (await tokenOf("anouk")).slice(0, -8)],
    ["with another payload", INVALID, async () => withPayloadOf(await tokenOf("anouk"), await tokenOf("omar"))],
    ["that is not a JWT", INVALID, () => "anouk"],
  ])("returns 401 for a token %s", async (_what, problem, create) => {
    const server = await startTestServer({ env });
    const watcher = await server.openStream(await tokenOf("magali"));
    await watcher.snapshot();
    const token = await create();
    for (const request of [
      server.request("/api/contacts", { headers: bearer(token) }),
      server.request("/api/events", { headers: bearer(token) }),
      server.request(`/api/events?token=${token}`),
      server.request("/api/sessions/current", { method: "DELETE", headers: bearer(token) }),
      server.post("/api/events/pings", { connection: "some-connection-1" }, { headers: bearer(token) }),
    ]) {
      const response = await request;
      expect(response.status).toBe(problem.status);
      expect(response.headers.get("www-authenticate")).toBe('Bearer error="invalid_token"');
      const body = await problemOf(response);
      expect(body).toMatchObject(problem);
      expect(JSON.stringify(body)).not.toContain(token);
    }
    const multiplexed = await server.openMultiplexedStream([{ token }]);
    expect((await multiplexed.channelEnd(0)).problem).toMatchObject(problem);
    await server.openStream(await tokenOf("omar"));
    await watcher.presence("omar", "ONLINE");
    expect(watcher.changes()).toEqual(["omar ONLINE"]);
    expect(await server.metric("presence_connections")).toBe(2);
  });
});

describe("with AUTH_JWKS_URL", () => {
  it("accepts the issuer's tokens after a key rotation", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const issuer = await Issuer.start();
    const server = await startTestServer({ env: { AUTH_JWKS_URL: issuer.jwksUrl } });
    const first = await issuer.sign({ sub: "anouk", exp: inAnHour() });
    expect((await contactsOf(server, first)).client).toBe("anouk");
    await issuer.rotate();
    vi.setSystemTime(Date.now() + 60_000);
    const second = await issuer.sign({ sub: "omar", exp: inAnHour() });
    expect((await contactsOf(server, second)).client).toBe("omar");
    const stream = await server.openStream(second);
    await stream.snapshot();
  });

  it("has no demo routes", async () => {
    const issuer = await Issuer.start();
    const server = await startTestServer({ env: { AUTH_JWKS_URL: issuer.jwksUrl } });
    expect((await server.request("/events/anouk")).status).toBe(404);
    expect((await server.post("/api/sessions", { client: "anouk" })).status).toBe(404);
    expect((await server.request("/api/people")).status).toBe(404);
  });

  it("returns 401 for tokens of another issuer and for forged tokens", async () => {
    const [issuer, other] = await Promise.all([Issuer.start(), Issuer.start()]);
    const server = await startTestServer({ env: { AUTH_JWKS_URL: issuer.jwksUrl } });
    const claims = { sub: "anouk", exp: inAnHour() };
    for (const token of [
      await other.sign(claims),
      await issuer.forgeWithPublicKey(claims),
      unsignedToken(claims),
      await tokenOf("anouk"),
    ]) {
      const response = await server.request("/api/events", { headers: bearer(token) });
      expect(response.status).toBe(401);
      expect(await problemOf(response)).toMatchObject(INVALID);
    }
  });

  it("returns 503 while the issuer answers with errors, and recovers", async () => {
    const issuer = await Issuer.start();
    const server = await startTestServer({ env: { AUTH_JWKS_URL: issuer.jwksUrl } });
    const token = await issuer.sign({ sub: "anouk", exp: inAnHour() });
    issuer.status = 500;
    const response = await server.request("/api/contacts", { headers: bearer(token) });
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("5");
    expect(response.headers.get("www-authenticate")).toBeNull();
    expect(await problemOf(response)).toMatchObject({ type: "about:blank", status: 503, title: "Service Unavailable" });
    const multiplexed = await server.post("/api/events", { streams: [{ token }] });
    expect(multiplexed.status).toBe(503);
    expect(multiplexed.headers.get("retry-after")).toBe("5");
    issuer.status = 200;
    expect((await contactsOf(server, token)).client).toBe("anouk");
  });

  it("returns 503 if the issuer is unreachable", async () => {
    const issuer = await Issuer.start();
    const token = await issuer.sign({ sub: "anouk", exp: inAnHour() });
    // A port that a stopped server has released.
    const stopped = await startTestServer();
    await stopped.close();
    const server = await startTestServer({ env: { AUTH_JWKS_URL: `${stopped.url}/jwks` } });
    const response = await server.request("/api/events", { headers: bearer(token) });
    expect(response.status).toBe(503);
    expect(await problemOf(response)).toMatchObject({ status: 503 });
  });
});

function inAnHour(): number {
  return secondsFromNow(3_600);
}

/** The first token with the payload of the other one. */
function withPayloadOf(token: string, other: string): string {
  const [header, , signature] = token.split(".");
  const [, payload] = other.split(".");
  return [header, payload, signature].join(".");
}

async function contactsOf(server: TestServer, token: string): Promise<ContactsResponse> {
  const response = await server.request("/api/contacts", { headers: bearer(token) });
  expect(response.status).toBe(200);
  return (await response.json()) as ContactsResponse;
}
