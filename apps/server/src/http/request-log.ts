import type { RequestHandler } from "express";
import type { Logger } from "pino";
import { TAKEN } from "../push/taken-socket.ts";

/** Logs each request when it is over, by its path alone: the query may hold a token. */
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
    // Of a stream, when it has begun.
    response.once("close", log).once(TAKEN, log);
    next();
  };
}
