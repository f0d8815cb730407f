import { describe, expect, it } from "vitest";
import { exchange, requestTarget } from "../../test/raw-http.ts";
import { problemOf, startTestServer } from "../../test/start-test-server.ts";
import { SHARED_SECRET } from "../../test/tokens.ts";
import { createWebAppFolder, INDEX_HTML, SCRIPT, SECRET } from "../../test/web-app-folder.ts";

describe("the web app", () => {
  it.each(["/", "/demo", "/?as=anouk", "/demo?x=1"])("is at %s, and asked for anew each time", async (path) => {
    const server = await startTestServer({ webAppFolder: await createWebAppFolder() });
    const response = await server.request(path);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(response.headers.get("cache-control")).toBe("no-cache");
    expect(await response.text()).toBe(INDEX_HTML);
  });

  it("is not sent again to who has it", async () => {
    const server = await startTestServer({ webAppFolder: await createWebAppFolder() });
    const first = await server.request("/");
    await first.text();
    const etag = first.headers.get("etag");
    const again = await exchange(
      server,
      `GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nIf-None-Match: ${etag}\r\n\r\n`,
    );
    expect(again).toMatchObject({ status: 304, body: "" });
  });

  it("is there in issuer mode too", async () => {
    const server = await startTestServer({
      webAppFolder: await createWebAppFolder(),
      env: { AUTH_JWT_SECRET: SHARED_SECRET },
    });
    expect(await (await server.request("/")).text()).toBe(INDEX_HTML);
  });

  it("has assets that never change", async () => {
    const server = await startTestServer({ webAppFolder: await createWebAppFolder() });
    const response = await server.request("/assets/app-1a2b3c.js");
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
    expect(response.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect(await response.text()).toBe(SCRIPT);
  });

  it.each(["/favicon.svg", "/index.html"])("has %s, which may change", async (path) => {
    const server = await startTestServer({ webAppFolder: await createWebAppFolder() });
    const response = await server.request(path);
    expect(response.status).toBe(200);
    expect(response.headers.get("cache-control")).toBe("no-cache");
  });

  it("answers a HEAD with the head", async () => {
    const server = await startTestServer({ webAppFolder: await createWebAppFolder() });
    const response = await server.request("/", { method: "HEAD" });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-length")).toBe(String(INDEX_HTML.length));
  });

  it.each(["/nothing", "/assets/app-0000.js", "/assets", "/assets/", "/demo/x", "/.env"])(
    "is not at %s, and nobody keeps that",
    async (path) => {
      const server = await startTestServer({ webAppFolder: await createWebAppFolder() });
      const response = await server.request(path);
      expect(response.status).toBe(404);
      expect(response.headers.get("cache-control")).toBe("no-store");
      expect(await problemOf(response)).toEqual({
        type: "about:blank",
        title: "Not Found",
        status: 404,
        detail: `There is nothing at ${path}.`,
      });
    },
  );

  it("tells a browser of a wrong address by itself", async () => {
    const server = await startTestServer({ webAppFolder: await createWebAppFolder() });
    const accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    const page = await server.request("/nothing", { headers: { Accept: accept } });
    expect(page.status).toBe(404);
    expect(page.headers.get("cache-control")).toBe("no-store");
    expect(page.headers.get("vary")).toBe("Accept");
    expect(await page.text()).toBe(INDEX_HTML);
    const api = await server.request("/api/nothing", { headers: { Accept: accept } });
    expect(api.status).toBe(404);
    expect(await problemOf(api)).toMatchObject({ status: 404 });
  });

  it.each([
    "/../secret.txt",
    "/assets/../../secret.txt",
    "/..%2fsecret.txt",
    "/%2e%2e/secret.txt",
    "/%2e%2e%2fsecret.txt",
    "/assets/..%2f..%2fsecret.txt",
    "/..%5csecret.txt",
    "/..\\secret.txt",
    "/%252e%252e%252fsecret.txt",
    "//../secret.txt",
    "/assets/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "/assets/..%00/secret.txt",
    "//etc/passwd",
    "/%",
    "/.env",
    "/assets/../.env",
  ])("lets nobody out of its folder: %s", async (target) => {
    const server = await startTestServer({ webAppFolder: await createWebAppFolder() });
    const response = await requestTarget(server, target);
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(response.status).toBeLessThan(500);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(response.body).not.toContain(SECRET);
    expect(response.body).not.toContain("root:");
  });

  it("says what to do where it has not been built", async () => {
    const server = await startTestServer();
    const response = await server.request("/");
    expect(response.status).toBe(503);
    expect(await problemOf(response)).toMatchObject({ status: 503, detail: expect.stringContaining("npm run build") });
  });
});
