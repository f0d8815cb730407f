import { rm } from "node:fs/promises";
import { join } from "node:path";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { requestBytes, requestTarget } from "../../test/raw-http.ts";
import { problemOf, startTestServer } from "../../test/start-test-server.ts";
import { SHARED_SECRET } from "../../test/tokens.ts";
import { createWebAppFolder, INDEX_HTML, SCRIPT, SECRET, STYLES } from "../../test/web-app-folder.ts";

describe("the web app", () => {
  it.each(["/", "/demo", "/?as=anouk", "/demo?x=1"])(
    "serves the page %s, which caches must revalidate",
    async (path) => {
      const server = await startTestServer({ webAppFolder: await createWebAppFolder() });
      const response = await server.request(path);
      expect(response.status).toBe(200);
      expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
      expect(response.headers.get("cache-control")).toBe("no-cache");
      expect(await response.text()).toBe(INDEX_HTML);
    },
  );

  it("is served in issuer mode", async () => {
    const server = await startTestServer({
      webAppFolder: await createWebAppFolder(),
      env: { AUTH_JWT_SECRET: SHARED_SECRET },
    });
    expect(await (await server.request("/")).text()).toBe(INDEX_HTML);
  });

  it("serves assets as immutable", async () => {
    const server = await startTestServer({ webAppFolder: await createWebAppFolder() });
    const response = await server.request("/assets/app-1a2b3c.js");
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
    expect(response.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect(await response.text()).toBe(SCRIPT);
  });

  it.each(["/favicon.svg", "/index.html"])("serves %s, which caches must revalidate", async (path) => {
    const server = await startTestServer({ webAppFolder: await createWebAppFolder() });
    const response = await server.request(path);
    expect(response.status).toBe(200);
    expect(response.headers.get("cache-control")).toBe("no-cache");
  });

  it("answers HEAD without a body", async () => {
    const server = await startTestServer({ webAppFolder: await createWebAppFolder() });
    const response = await requestBytes(server, "/", { method: "HEAD" });
    expect(response.status).toBe(200);
    expect(response.headers["content-length"]).toBe(String(INDEX_HTML.length));
  });

  it.each(["/nothing", "/assets/app-0000.js", "/assets", "/assets/", "/demo/x", "/.env"])(
    "returns 404 for %s, which must not be cached",
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

  it("serves the web app with 404 to a browser for an unknown path", async () => {
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
  ])("does not serve files outside of its folder: %s", async (target) => {
    const server = await startTestServer({ webAppFolder: await createWebAppFolder() });
    const response = await requestTarget(server, target);
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(response.status).toBeLessThan(500);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(response.body).not.toContain(SECRET);
    expect(response.body).not.toContain("root:");
  });

  it("returns 503 with instructions if the web app has not been built", async () => {
    const server = await startTestServer();
    const response = await server.request("/");
    expect(response.status).toBe(503);
    expect(await problemOf(response)).toMatchObject({ status: 503, detail: expect.stringContaining("npm run build") });
  });
});

const PATHS = ["/", "/demo", "/?as=anouk", "/index.html", "/assets/app-1a2b3c.js", "/assets/app-4d5e6f.css?x=?.br"];
const TYPES: Record<string, string> = { js: "text/javascript; charset=utf-8", css: "text/css; charset=utf-8" };

/** The uncompressed content at `path`. */
function contentOf(path: string): { type: string; text: string } {
  const [, extension = ""] = /\.(js|css)/.exec(path) ?? [];
  return {
    type: TYPES[extension] ?? "text/html; charset=utf-8",
    text: { js: SCRIPT, css: STYLES }[extension] ?? INDEX_HTML,
  };
}

function decode(body: Buffer, encoding: string | undefined): string {
  if (encoding === "br") return brotliDecompressSync(body).toString();
  if (encoding === "gzip") return gunzipSync(body).toString();
  return body.toString();
}

describe("the web app, compressed", () => {
  it.each(
    PATHS.flatMap((path) => [
      { path, accepted: "gzip, deflate, br, zstd", encoding: "br" },
      { path, accepted: "br", encoding: "br" },
      { path, accepted: "*", encoding: "br" },
      { path, accepted: "gzip, deflate", encoding: "gzip" },
      { path, accepted: "gzip;q=0.5, br;q=0", encoding: "gzip" },
      { path, accepted: "br;q=0, *", encoding: "gzip" },
      { path, accepted: "gzip;q=0, br;q=0", encoding: undefined },
      { path, accepted: "*;q=0", encoding: undefined },
      { path, accepted: "identity", encoding: undefined },
      { path, accepted: "deflate, brotli, x-gzippy", encoding: undefined },
      { path, accepted: "", encoding: undefined },
    ]),
  )("serves $path for Accept-Encoding: '$accepted'", async ({ path, accepted, encoding }) => {
    const server = await startTestServer({ webAppFolder: await createWebAppFolder() });
    const { status, headers, body } = await requestBytes(server, path, { headers: { "Accept-Encoding": accepted } });
    expect(status).toBe(200);
    expect(headers["content-encoding"]).toBe(encoding);
    expect(decode(body, encoding)).toBe(contentOf(path).text);
    expect(headers["content-type"]).toBe(contentOf(path).type);
    expect(headers["content-length"]).toBe(String(body.length));
    expect(headers.vary).toBe("Accept-Encoding");
    expect(headers["cache-control"]).toBe(
      path.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "no-cache",
    );
    expect(headers["x-content-type-options"]).toBe("nosniff");
  });

  it("is served uncompressed without Accept-Encoding", async () => {
    const server = await startTestServer({ webAppFolder: await createWebAppFolder() });
    const { headers, body } = await requestBytes(server, "/assets/app-4d5e6f.css");
    expect(headers["content-encoding"]).toBeUndefined();
    expect(headers.vary).toBe("Accept-Encoding");
    expect(body.toString()).toBe(STYLES);
  });

  it("supports HEAD and ETag revalidation for each encoding", async () => {
    const server = await startTestServer({ webAppFolder: await createWebAppFolder() });
    const etags = new Set<string | undefined>();
    for (const accepted of ["br", "gzip", "identity"]) {
      const headers = { "Accept-Encoding": accepted };
      const whole = await requestBytes(server, "/", { headers });
      const head = await requestBytes(server, "/", { method: "HEAD", headers });
      expect(head).toMatchObject({ status: 200, body: Buffer.alloc(0) });
      for (const name of ["content-encoding", "content-length", "content-type", "etag", "vary"]) {
        expect(head.headers[name]).toBe(whole.headers[name]);
      }
      const { etag = "" } = whole.headers;
      const again = await requestBytes(server, "/", { headers: { ...headers, "If-None-Match": etag } });
      expect(again).toMatchObject({ status: 304, body: Buffer.alloc(0) });
      expect(again.headers).toMatchObject({ etag, vary: "Accept-Encoding", "cache-control": "no-cache" });
      etags.add(etag);
    }
    expect(etags.size).toBe(3);
  });

  it("supports range requests", async () => {
    const server = await startTestServer({ webAppFolder: await createWebAppFolder() });
    const headers = { "Accept-Encoding": "gzip" };
    const { body } = await requestBytes(server, "/assets/app-4d5e6f.css", { headers });
    const part = await requestBytes(server, "/assets/app-4d5e6f.css", { headers: { ...headers, Range: "bytes=3-9" } });
    expect(part.status).toBe(206);
    expect(part.headers).toMatchObject({ "content-encoding": "gzip", "content-range": `bytes 3-9/${body.length}` });
    expect(part.body.equals(body.subarray(3, 10))).toBe(true);
  });

  it.each([
    { path: "/index.html", method: "GET", headers: { Range: "bytes=9999-" }, status: 416 },
    { path: "/index.html", method: "GET", headers: { "If-Match": '"another"' }, status: 412 },
    { path: "/index.html", method: "POST", headers: {}, status: 404 },
    { path: "/assets/app-0000.js", method: "GET", headers: {}, status: 404 },
    { path: "/assets", method: "GET", headers: {}, status: 404 },
    { path: "/%2e%2e/secret.txt", method: "GET", headers: {}, status: 404 },
    { path: "/.env", method: "GET", headers: {}, status: 404 },
  ])("sends errors uncompressed: $method $path $headers", async ({ path, method, headers, status }) => {
    const server = await startTestServer({ webAppFolder: await createWebAppFolder() });
    const answer = await requestBytes(server, path, {
      method,
      headers: { ...headers, "Accept-Encoding": "br, gzip" },
    });
    expect(answer.status).toBe(status);
    expect(answer.headers["content-encoding"]).toBeUndefined();
    expect(answer.headers["content-type"]).toBe("application/problem+json");
    expect(JSON.parse(answer.body.toString())).toMatchObject({ status });
  });

  it("is served uncompressed if there is no compressed file", async () => {
    const webAppFolder = await createWebAppFolder();
    const server = await startTestServer({ webAppFolder });
    const headers = { "Accept-Encoding": "gzip, deflate, br" };
    const icon = await requestBytes(server, "/favicon.svg", { headers });
    expect(icon.headers).toMatchObject({ "content-type": "image/svg+xml", vary: "Accept-Encoding" });
    expect(icon.headers["content-encoding"]).toBeUndefined();
    await rm(join(webAppFolder, "assets/app-1a2b3c.js.br"));
    const script = await requestBytes(server, "/assets/app-1a2b3c.js", { headers });
    expect(script.headers["content-encoding"]).toBe("gzip");
    expect(gunzipSync(script.body).toString()).toBe(SCRIPT);
  });

  it("keeps existing values of Vary", async () => {
    const server = await startTestServer({
      webAppFolder: await createWebAppFolder(),
      env: { CORS_ORIGINS: "https://example.org" },
    });
    const { headers } = await requestBytes(server, "/", { headers: { "Accept-Encoding": "br" } });
    expect(headers).toMatchObject({ "content-encoding": "br", vary: "Origin, Accept-Encoding" });
  });
});
