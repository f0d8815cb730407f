import { type Logger, pino } from "pino";

/**
 * Structured logs on standard output. Nothing that may hold a token is ever given to it: no query, no header, no body.
 */
export function createLogger(level: string, serverId: string): Logger {
  return pino({ level, base: { server: serverId } });
}
