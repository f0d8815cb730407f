import { describe, expect, it } from "vitest";
import { Issuer } from "../../test/issuer.ts";
import { exchange } from "../../test/raw-http.ts";
import { bearer, startTestServer } from "../../test/start-test-server.ts";
import { SHARED_SECRET, secondsFromNow, tokenOf } from "../../test/tokens.ts";

describe("the server's log", () => {
  it("has a line for each request, with the path but not the query", async () => {
    const log = new CapturedLog();
    const server = await startTestServer({ env: { LOG_LEVEL: "debug", SERVER_ID: "paris" }, logDestination: log });
    await (await server.request("/healthz?secret=x")).text();
    await expect
      .poll(() => log.lines())
      .toContainEqual(
        expect.objectContaining({
          msg: "request",
          method: "GET",
          path: "/healthz",
          status: 200,
          durationMs: expect.any(Number),
          server: "paris",
        }),
      );
  });

  it("has a line when the server listens and when it has stopped", async () => {
    const log = new CapturedLog();
    const server = await startTestServer({ env: { LOG_LEVEL: "info" }, logDestination: log });
    await server.close();
    expect(log.lines()).toEqual([
      expect.objectContaining({ msg: "listening", mode: "demo", hosts: ["127.0.0.1"], port: server.port }),
      expect.objectContaining({ msg: "stopped" }),
    ]);
  });

  it("never contains a token, wherever it was sent and whether it was accepted", async () => {
    const log = new CapturedLog();
    const server = await startTestServer({ env: { LOG_LEVEL: "trace" }, logDestination: log });
    const token = await server.signIn("anouk");
    const mangled = `${token.slice(0, -6)}AAAAAA`;
    for (const sent of [token, mangled]) {
      await settle(server.request(`/api/contacts?token=${sent}`, { headers: bearer(sent) }));
      await settle(server.request(`/api/events?token=${sent}`));
      await settle(server.request(`/api/events?token=${sent}`, { headers: { Accept: "text/html" } }));
      await settle(server.request(`/nothing?token=${sent}`));
      await settle(server.request(`/?token=${sent}`));
      await settle(server.request(`/events/%E0%A4%A?token=${sent}`));
      await settle(server.post("/api/events", { streams: [{ token: sent }] }));
      await settle(server.post("/api/events", { streams: [{ token: sent, extra: sent }], more: sent }));
      await settle(server.post("/api/sessions", { client: sent }));
      await settle(server.post("/api/events/pings", { connection: "unknown-connection" }, { headers: bearer(sent) }));
      await exchange(server, `GET /api/events?token=${sent} SIP/2.0\r\n\r\n`);
      await exchange(server, `GET /x?token=${sent} HTTP/1.1\r\nHost: x\r\nX: ${"x".repeat(40_000)}\r\n\r\n`);
    }
    await server.signOut(token);
    await settle(server.request("/api/contacts", { headers: bearer(token) }));
    await server.close();
    const [, payload = "", signature = ""] = token.split(".");
    expect(log.lines().filter(({ msg }) => msg === "request").length).toBeGreaterThan(20);
    for (const part of [payload, signature.slice(0, -6)]) expect(log.text).not.toContain(part);
  });

  it("never contains a secret or token in issuer mode, even if the issuer fails", async () => {
    const log = new CapturedLog();
    const env = { LOG_LEVEL: "trace", AUTH_JWT_SECRET: SHARED_SECRET };
    const server = await startTestServer({ env, logDestination: log });
    const token = await tokenOf("anouk");
    await settle(server.request(`/api/events?token=${token}`));
    await server.close();

    const issuer = await Issuer.start();
    issuer.status = 500;
    const other = await startTestServer({
      env: { LOG_LEVEL: "trace", AUTH_JWKS_URL: issuer.jwksUrl },
      logDestination: log,
    });
    const signed = await issuer.sign({ sub: "anouk", exp: secondsFromNow(60) });
    await settle(other.request(`/api/events?token=${signed}`));
    await other.close();
    expect(log.lines().length).toBeGreaterThan(4);
    for (const secret of [SHARED_SECRET, token, signed]) expect(log.text).not.toContain(secret);
  });

  it("warns about a secret that is too short, without logging it", async () => {
    const log = new CapturedLog();
    await startTestServer({ env: { LOG_LEVEL: "warn", AUTH_JWT_SECRET: "sesame" }, logDestination: log });
    expect(log.lines()).toEqual([expect.objectContaining({ msg: expect.stringContaining("AUTH_JWT_SECRET") })]);
    expect(log.text).not.toContain("sesame");
  });

  it("does not warn about a secret that is long enough", async () => {
    const log = new CapturedLog();
    await startTestServer({ env: { LOG_LEVEL: "warn", AUTH_JWT_SECRET: SHARED_SECRET }, logDestination: log });
    expect(log.text).toBe("");
  });
});

class CapturedLog {
  text = "";

  write(line: string): void {
    this.text += line;
  }

  lines(): { msg?: string; [key: string]: unknown }[] {
    return this.text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line));
  }
}

/** Waits for the response's headers and discards the body. */
async function settle(response: Promise<Response>): Promise<void> {
  await (await response).body?.cancel();
}
