/**
 * The `id:` of the SSE stream: the last position that the reader has received.
 *
 * `version` is a position within `epoch`, one complete sequence of events. A platform that lost data starts a new epoch.
 * Format: `epoch.version`. An epoch is lower-case base 36.
 */
export interface EventId {
  epoch: string;
  version: number;
}

const EVENT_ID = /^([a-z0-9]{1,32})\.([0-9]{1,16})$/;

export function formatEventId({ epoch, version }: EventId): string {
  return `${epoch}.${version}`;
}

/** Parses a `Last-Event-ID` header. Returns `undefined` if it is malformed. */
export function parseEventId(text: string): EventId | undefined {
  const [, epoch, digits] = EVENT_ID.exec(text) ?? [];
  if (epoch === undefined || digits === undefined) return undefined;
  const version = Number(digits);
  return Number.isSafeInteger(version) ? { epoch, version } : undefined;
}
