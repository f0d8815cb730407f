import cors from "cors";
import type { RequestHandler } from "express";

const PREFLIGHT_MAX_AGE_SECONDS = 600;

/**
 * Lets pages of these origins call this server (CORS). Credentials are not allowed: the server uses no cookies.
 *
 * @param origins compared exactly with the `Origin` header
 */
export function crossOrigin(origins: readonly string[]): RequestHandler[] {
  return [
    // Caches must keep answers apart by origin, also the answers to origins that are not allowed.
    (_request, response, next) => {
      response.vary("Origin");
      next();
    },
    cors({
      origin: (origin, callback) => callback(null, origin !== undefined && origins.includes(origin) && origin),
      methods: ["GET", "HEAD", "POST", "DELETE"],
      allowedHeaders: ["Authorization", "Content-Type", "Last-Event-ID"],
      exposedHeaders: ["Retry-After", "Presence-Heartbeat-Interval"],
      maxAge: PREFLIGHT_MAX_AGE_SECONDS,
    }),
  ];
}
