import { readableLog } from "@presence/gears";
import { type DestinationStream, type Logger, pino } from "pino";

/** What waits to be written while there is no room for it (a full disk); beyond that, lines are lost. */
const MAX_WAITING_BYTES = 1024 * 1024;
/** How often it is said, at most, that the log can't be written. */
const COMPLAINT_MS = 60_000;

/**
 * Structured logs, one JSON object a line. Nothing that may hold a token is ever given to it: no query, no header, no
 * body.
 *
 * @param destination standard output, unless given
 */
export function createLogger(level: string, serverId: string, destination?: DestinationStream): Logger {
  const options = { level, base: { server: serverId }, ...readableLog };
  return pino(options, destination ?? standardOutput());
}

/** A log that can't be written is no reason to serve nobody. */
function standardOutput(): DestinationStream {
  const output = pino.destination({ fd: 1, sync: true, maxLength: MAX_WAITING_BYTES });
  let lastSaidMs = Number.NEGATIVE_INFINITY;
  output.on("error", ({ message }: Error) => {
    if (performance.now() - lastSaidMs < COMPLAINT_MS) return;
    lastSaidMs = performance.now();
    process.stderr.write(`The log can't be written: ${message}\n`);
  });
  return output;
}
