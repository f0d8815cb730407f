import { describe, expect, it } from "vitest";
import { bearer, problemOf, startTestServer } from "../../test/start-test-server.ts";
import { SHARED_SECRET } from "../../test/tokens.ts";

const MODES = [
  ["demo", {}],
  ["issuer", { AUTH_JWT_SECRET: SHARED_SECRET }],
] as const;

describe.each(MODES)("in %s mode", (_mode, env) => {
  it("answers /healthz and /readyz without a token", async () => {
    const server = await startTestServer({ env });
    const live = await server.request("/healthz");
    expect(live.status).toBe(200);
    expect(live.headers.get("cache-control")).toBe("no-store");
    expect(await live.json()).toEqual({ status: "ok" });
    const ready = await server.request("/readyz");
    expect(ready.status).toBe(200);
    expect(ready.headers.get("cache-control")).toBe("no-store");
    expect(await ready.json()).toEqual({ ready: true, warnings: [] });
  });

  it("returns metrics in the Prometheus text format", async () => {
    const server = await startTestServer({ env });
    const response = await server.request("/metrics");
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
    const text = await response.text();
    expect(text).toContain("# TYPE presence_connections gauge");
    expect(text).toContain("# TYPE presence_offline_lag_seconds histogram");
    expect(text).toContain("process_cpu_seconds_total");
  });

  it.each(["/healthz", "/readyz", "/metrics"])("supports only GET and HEAD for %s", async (path) => {
    const server = await startTestServer({ env });
    const head = await server.request(path, { method: "HEAD" });
    expect(head.status).toBe(200);
    expect(await head.text()).toBe("");
    const response = await server.request(path, { method: "POST" });
    expect(response.headers.get("allow")).toBe("GET, HEAD");
    expect(await problemOf(response)).toMatchObject({ status: 405 });
  });
});

describe("GET /metrics", () => {
  it("counts connections, clients, events and closed connections", async () => {
    const server = await startTestServer({ env: { HEARTBEAT_INTERVAL_MS: "200" } });
    const anouk = await server.openTerminalStream("anouk");
    await server.openTerminalStream("anouk");
    const magali = await server.openTerminalStream("magali");
    await anouk.presence("magali", "ONLINE");
    expect(await server.metric("presence_connections")).toBe(3);
    expect(await server.metric("presence_connected_clients")).toBe(2);
    expect(await server.metric('presence_events_total{status="ONLINE",reason="connected"}')).toBe(2);
    expect(await server.metric('presence_snapshots_total{cause="fresh"}')).toBe(3);
    await magali.close();
    await anouk.presence("magali", "OFFLINE");
    expect(await server.metric("presence_connections")).toBe(2);
    expect(await server.metric("presence_connected_clients")).toBe(1);
    expect(await server.metric('presence_events_total{status="OFFLINE",reason="timed-out"}')).toBe(1);
    expect(await server.metric('presence_connections_closed_total{reason="gone"}')).toBe(1);
    expect(await server.metric("presence_offline_lag_seconds_count")).toBe(1);
  });

  it("contains no client ids", async () => {
    const server = await startTestServer();
    const stream = await server.openTerminalStream("zoe-smith");
    await stream.snapshot();
    expect(await (await server.request("/metrics")).text()).not.toContain("zoe-smith");
  });

  it("requires METRICS_TOKEN if it is set", async () => {
    const server = await startTestServer({ env: { METRICS_TOKEN: "metrics-token-0001" } });
    const clientToken = await server.signIn("anouk");
    for (const headers of [{}, bearer(clientToken), bearer("metrics-token-0001-"), bearer("metrics-token-000")]) {
      const refused = await server.request("/metrics", { headers });
      expect(refused.headers.get("www-authenticate")).toBe("Bearer");
      expect(await problemOf(refused)).toMatchObject({ status: 401 });
    }
    const accepted = await server.request("/metrics", { headers: bearer("metrics-token-0001") });
    expect(await accepted.text()).toContain("presence_connections");
    expect((await server.request("/readyz")).status).toBe(200);
  });
});
