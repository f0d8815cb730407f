import { describe, expect, it } from "vitest";
import { startTestServer } from "../../test/start-test-server.ts";

const APP = "https://app.example";
const PREFLIGHT = {
  method: "OPTIONS",
  headers: {
    Origin: APP,
    "Access-Control-Request-Method": "DELETE",
    "Access-Control-Request-Headers": "authorization",
  },
};

function corsHeadersOf({ headers }: Response): string[] {
  return [...headers.keys()].filter((name) => name.startsWith("access-control-"));
}

describe("CORS", () => {
  it.each(["/api/contacts", "/api/events", "/api/sessions", "/healthz"])(
    "sends no CORS headers for %s if no origins are configured",
    async (path) => {
      const server = await startTestServer();
      expect(corsHeadersOf(await server.request(path, { headers: { Origin: APP } }))).toEqual([]);
      const preflight = await server.request(path, PREFLIGHT);
      expect(corsHeadersOf(preflight)).toEqual([]);
      expect(preflight.ok).toBe(false);
    },
  );

  it("allows a configured origin, without credentials", async () => {
    const server = await startTestServer({ env: { CORS_ORIGINS: `${APP}, https://other.example` } });
    const preflight = await server.request("/api/sessions/current", PREFLIGHT);
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-origin")).toBe(APP);
    expect(preflight.headers.get("access-control-allow-methods")).toContain("DELETE");
    expect(preflight.headers.get("access-control-allow-headers")).toContain("Authorization");
    expect(preflight.headers.get("access-control-allow-credentials")).toBeNull();
    const answer = await server.post("/api/sessions", { client: "anouk" }, { headers: { Origin: APP } });
    expect(answer.status).toBe(201);
    expect(answer.headers.get("access-control-allow-origin")).toBe(APP);
    expect(answer.headers.get("vary")).toMatch(/\bOrigin\b/i);
    expect(answer.headers.get("access-control-expose-headers")).toBe("Retry-After,Presence-Heartbeat-Interval");
    expect(answer.headers.get("access-control-allow-credentials")).toBeNull();
  });

  it.each([
    "https://app.example.evil",
    "http://app.example",
    "https://APP.example",
    "null",
    "https://app.example:8443",
  ])("does not allow the origin %s", async (origin) => {
    const server = await startTestServer({ env: { CORS_ORIGINS: APP } });
    const answer = await server.request("/api/contacts", { headers: { Origin: origin } });
    expect(corsHeadersOf(answer)).toEqual([]);
    expect(answer.headers.get("vary")).toMatch(/\bOrigin\b/i);
    const preflight = await server.request("/api/contacts", {
      ...PREFLIGHT,
      headers: { ...PREFLIGHT.headers, Origin: origin },
    });
    expect(corsHeadersOf(preflight)).toEqual([]);
    expect(preflight.ok).toBe(false);
  });

  it("sets no cookie and accepts no token in a cookie", async () => {
    const server = await startTestServer();
    const session = await server.post("/api/sessions", { client: "anouk" });
    expect(session.headers.get("set-cookie")).toBeNull();
    const { token } = (await session.json()) as { token: string };
    for (const name of ["token", "session", "authorization", "Authorization"]) {
      const headers = { Cookie: `${name}=${token}; ${name}=Bearer%20${token}` };
      expect((await server.request("/api/contacts", { headers })).status).toBe(401);
      expect((await server.request("/api/sessions/current", { method: "DELETE", headers })).status).toBe(401);
    }
  });
});
