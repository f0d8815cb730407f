import type { RequestHandler } from "express";

const METHODS = "GET, HEAD, POST, DELETE";
const HEADERS = "Authorization, Content-Type, Last-Event-ID";
/** Beside those that every page may read. */
const EXPOSED_HEADERS = "Retry-After, Presence-Heartbeat-Interval";
const PREFLIGHT_LIFE_SECONDS = "600";

/**
 * Lets pages of these origins call this server (the Fetch standard's CORS protocol). Nothing here relies on a cookie, so
 * no credentials are allowed.
 *
 * @param origins as browsers spell them, to be matched exactly
 */
export function crossOrigin(origins: readonly string[]): RequestHandler {
  return (request, response, next) => {
    response.vary("Origin");
    const origin = request.get("origin");
    if (origin === undefined || !origins.includes(origin)) {
      next();
      return;
    }
    response.set({ "Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": EXPOSED_HEADERS });
    const isPreflight = request.method === "OPTIONS" && request.get("access-control-request-method") !== undefined;
    if (!isPreflight) {
      next();
      return;
    }
    response.set({
      "Access-Control-Allow-Methods": METHODS,
      "Access-Control-Allow-Headers": HEADERS,
      "Access-Control-Max-Age": PREFLIGHT_LIFE_SECONDS,
    });
    response.status(204).end();
  };
}
