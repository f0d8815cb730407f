import { type DestinationStream, type Logger, pino } from "pino";

/**
 * Structured logs, one JSON object a line. Nothing that may hold a token is ever given to it: no query, no header, no
 * body.
 *
 * @param destination standard output, unless given
 */
export function createLogger(level: string, serverId: string, destination?: DestinationStream): Logger {
  const options = { level, base: { server: serverId } };
  return destination ? pino(options, destination) : pino(options);
}
