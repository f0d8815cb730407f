import { describe, expect, it } from "vitest";
import { startTestServer } from "../../test/start-test-server.ts";
import { createWebAppFolder } from "../../test/web-app-folder.ts";

const POLICY = new Map([
  ["default-src", "'self'"],
  ["script-src", "'self'"],
  ["style-src", "'self'"],
  ["font-src", "'self'"],
  ["img-src", "'self' data:"],
  ["connect-src", "'self'"],
  ["worker-src", "'self'"],
  ["frame-src", "'self'"],
  ["frame-ancestors", "'self'"],
  ["object-src", "'none'"],
  ["base-uri", "'none'"],
  ["form-action", "'self'"],
]);

describe("security headers", () => {
  it.each(["/", "/demo", "/assets/app-1a2b3c.js", "/api/people", "/api/contacts", "/nothing", "/healthz"])(
    "are sent for %s",
    async (path) => {
      const server = await startTestServer({ webAppFolder: await createWebAppFolder() });
      const { headers } = await server.request(path);
      expect(parsePolicy(headers.get("content-security-policy"))).toEqual(POLICY);
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("x-frame-options")).toBe("SAMEORIGIN");
      expect(headers.get("referrer-policy")).toBe("no-referrer");
      expect(headers.get("cross-origin-opener-policy")).toBe("same-origin");
      expect(headers.get("cross-origin-resource-policy")).toBe("same-origin");
      expect(headers.get("x-powered-by")).toBeNull();
      // The reverse proxy sends it, because it terminates TLS.
      expect(headers.get("strict-transport-security")).toBeNull();
      // CORS is off by default.
      expect(headers.get("access-control-allow-origin")).toBeNull();
    },
  );

  it("are sent for a stream", async () => {
    const server = await startTestServer();
    const { response } = await server.openTerminalStream("anouk");
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(parsePolicy(response.headers.get("content-security-policy"))).toEqual(POLICY);
  });
});

function parsePolicy(text: string | null): Map<string, string> {
  const directives = (text ?? "").split(";").map((directive) => directive.trim());
  return new Map(
    directives.map((directive) => {
      const space = directive.indexOf(" ");
      return [directive.slice(0, space), directive.slice(space + 1)];
    }),
  );
}
