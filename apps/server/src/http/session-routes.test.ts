import type { SessionResponse } from "@presence/protocol";
import { describe, expect, it } from "vitest";
import { bearer, problemOf, startTestServer } from "../../test/start-test-server.ts";
import { respellSignature } from "../../test/tokens.ts";

describe("POST /api/sessions", () => {
  it("issues a token", async () => {
    const server = await startTestServer();
    const response = await server.post("/api/sessions", { client: "anouk" });
    expect(response.status).toBe(201);
    expect(response.headers.get("content-type")).toBe("application/json; charset=utf-8");
    expect(response.headers.get("cache-control")).toBe("no-store");
    const session = (await response.json()) as SessionResponse;
    expect(session).toEqual({ token: expect.any(String), client: "anouk", expiresAt: expect.any(Number) });
    expect(session.expiresAt).toBeGreaterThan(Date.now() + 60_000);
    const contacts = await server.request("/api/contacts", { headers: bearer(session.token) });
    expect(await contacts.json()).toMatchObject({ client: "anouk" });
  });

  it("does not make the client ONLINE", async () => {
    const server = await startTestServer();
    const watcher = await server.openTerminalStream("anouk");
    await watcher.snapshot();
    await server.signIn("magali");
    const omar = await server.openTerminalStream("omar");
    const { contacts } = await omar.snapshot();
    expect(contacts.find(({ client }) => client === "magali")).toEqual({
      client: "magali",
      status: "OFFLINE",
      since: 0,
    });
    await watcher.presence("omar", "ONLINE");
    expect(watcher.changes()).toEqual(["omar ONLINE"]);
  });

  it.each(["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])("returns 405 for %s", async (method) => {
    const server = await startTestServer();
    const response = await server.request("/api/sessions", { method });
    expect(response.headers.get("allow")).toBe("POST");
    expect(await problemOf(response)).toMatchObject({ type: "about:blank", status: 405, title: "Method Not Allowed" });
    expect(response.status).toBe(405);
  });
});

describe("DELETE /api/sessions/current", () => {
  it("revokes the token: later requests get 401 signed-out", async () => {
    const server = await startTestServer();
    const token = await server.signIn("anouk");
    const response = await server.request("/api/sessions/current", { method: "DELETE", headers: bearer(token) });
    expect(response.status).toBe(204);
    expect(await response.text()).toBe("");

    for (const spelling of [token, respellSignature(token)]) {
      for (const [method, path] of [
        ["GET", "/api/contacts"],
        ["GET", "/api/events"],
        ["DELETE", "/api/sessions/current"],
      ] as const) {
        const refused = await server.request(path, { method, headers: bearer(spelling) });
        expect(refused.status).toBe(401);
        expect(refused.headers.get("www-authenticate")).toBe('Bearer error="invalid_token"');
        expect(await problemOf(refused)).toMatchObject({ type: "urn:presence:problem:signed-out", status: 401 });
      }
    }
  });

  it("ends all connections of the token, and makes the client OFFLINE immediately", async () => {
    // With leases this long, OFFLINE cannot be caused by an expired lease.
    const server = await startTestServer({ env: { HEARTBEAT_INTERVAL_MS: "600000" } });
    const watcher = await server.openTerminalStream("magali");
    const token = await server.signIn("anouk");
    const streams = [await server.openStream(token), await server.openStream(token)];
    for (const stream of streams) await stream.snapshot();
    await watcher.presence("anouk", "ONLINE");

    expect(await server.signOut(token)).toBe(204);

    await watcher.presence("anouk", "OFFLINE");
    expect(await Promise.all(streams.map((stream) => stream.over))).toEqual(["ended", "ended"]);
    expect(watcher.changes()).toEqual(["anouk ONLINE", "anouk OFFLINE"]);
    expect(await server.metric("presence_connections")).toBe(1);
    expect(await server.metric('presence_connections_closed_total{reason="signed-out"}')).toBe(2);
  });

  it("makes a client OFFLINE immediately that closed its connections just before", async () => {
    const server = await startTestServer({ env: { HEARTBEAT_INTERVAL_MS: "600000" } });
    const watcher = await server.openTerminalStream("magali");
    const token = await server.signIn("anouk");
    const stream = await server.openStream(token);
    await watcher.presence("anouk", "ONLINE");
    await stream.close();
    expect(await server.signOut(token)).toBe(204);
    await watcher.presence("anouk", "OFFLINE");
  });

  it.each(["another token", "a terminal"])("keeps a client online that is connected through %s", async (other) => {
    const server = await startTestServer({ env: { HEARTBEAT_INTERVAL_MS: "600000" } });
    const watcher = await server.openTerminalStream("magali");
    const [first, second] = [await server.signIn("anouk"), await server.signIn("anouk")];
    const ending = await server.openStream(first);
    const staying = other === "a terminal" ? await server.openTerminalStream("anouk") : await server.openStream(second);
    await watcher.presence("anouk", "ONLINE");

    expect(await server.signOut(first)).toBe(204);

    expect(await ending.over).toBe("ended");
    await server.openTerminalStream("omar");
    await watcher.presence("omar", "ONLINE");
    expect(watcher.changes()).toEqual(["anouk ONLINE", "omar ONLINE"]);
    await staying.presence("omar", "ONLINE");
  });

  it("lets the client connect again with a new token", async () => {
    const server = await startTestServer({ env: { HEARTBEAT_INTERVAL_MS: "600000" } });
    const watcher = await server.openTerminalStream("magali");
    const token = await server.signIn("anouk");
    await server.openStream(token);
    await watcher.presence("anouk", "ONLINE");
    await server.signOut(token);
    await server.openStream(await server.signIn("anouk"));
    await watcher.presence("anouk", "OFFLINE");
    await watcher.presence("anouk", "ONLINE");
  });

  it("does not accept a token in the query", async () => {
    const server = await startTestServer();
    const token = await server.signIn("anouk");
    const response = await server.request(`/api/sessions/current?token=${token}`, { method: "DELETE" });
    expect(response.status).toBe(401);
    expect(await problemOf(response)).toMatchObject({ type: "urn:presence:problem:token-missing" });
    expect((await server.request("/api/contacts", { headers: bearer(token) })).status).toBe(200);
  });

  it.each(["GET", "POST", "PUT"])("returns 405 for %s", async (method) => {
    const server = await startTestServer();
    const response = await server.request("/api/sessions/current", { method });
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("DELETE");
    expect(await problemOf(response)).toMatchObject({ status: 405 });
  });
});
