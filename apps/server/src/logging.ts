import { readableLog } from "@presence/gears";
import { type DestinationStream, type Logger, pino } from "pino";

/** How much is buffered while the log cannot be written (a full disk). Further lines are dropped. */
const MAX_BUFFERED_BYTES = 1024 * 1024;
/** The minimum time between two messages that the log cannot be written. */
const ERROR_INTERVAL_MS = 60_000;

/**
 * Structured logs: one JSON object per line. Never log anything that may contain a token: queries, headers or bodies.
 *
 * @param destination standard output by default
 */
export function createLogger(level: string, serverId: string, destination?: DestinationStream): Logger {
  const options = { level, base: { server: serverId }, ...readableLog };
  return pino(options, destination ?? standardOutput());
}

/** The server must keep running when standard output cannot be written. */
function standardOutput(): DestinationStream {
  const output = pino.destination({ fd: 1, sync: true, maxLength: MAX_BUFFERED_BYTES });
  let lastErrorMs = Number.NEGATIVE_INFINITY;
  output.on("error", ({ message }: Error) => {
    if (performance.now() - lastErrorMs < ERROR_INTERVAL_MS) return;
    lastErrorMs = performance.now();
    process.stderr.write(`Cannot write the log: ${message}\n`);
  });
  return output;
}
