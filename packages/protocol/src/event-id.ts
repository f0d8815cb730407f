/**
 * The `id:` of the SSE stream: how far its reader has come.
 *
 * `epoch` names one unbroken order of events (a platform that lost its memory starts another), `version` is a position
 * in it. Written `epoch.version`; an epoch is lower-case base 36.
 */
export interface EventId {
  epoch: string;
  version: number;
}

const EVENT_ID = /^([a-z0-9]{1,32})\.([0-9]{1,16})$/;

export function formatEventId({ epoch, version }: EventId): string {
  return `${epoch}.${version}`;
}

/** The id that `text` spells, or `undefined`: anything may arrive in a `Last-Event-ID` header. */
export function parseEventId(text: string): EventId | undefined {
  const [, epoch, digits] = EVENT_ID.exec(text) ?? [];
  if (epoch === undefined || digits === undefined) return undefined;
  const version = Number(digits);
  return Number.isSafeInteger(version) ? { epoch, version } : undefined;
}
