import type { RequestHandler } from "express";
import type { Logger } from "pino";
import { TAKEN } from "../push/taken-socket.ts";

/** Logs each request when it has ended. Logs the path without the query, because the query may contain a token. */
export function requestLog(logger: Logger): RequestHandler {
  return (request, response, next) => {
    const startMs = performance.now();
    const { method, path } = request;
    const log = () => {
      logger.debug(
        { method, path, status: response.statusCode, durationMs: Math.round(performance.now() - startMs) },
        "request",
      );
    };
    // A stream is logged when it starts.
    response.once("close", log).once(TAKEN, log);
    next();
  };
}
