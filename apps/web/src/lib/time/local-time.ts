/** Cached, because creating a formatter is expensive. The value of an unknown time zone is `undefined`. */
const formatters = new Map<string, Intl.DateTimeFormat | undefined>();

/** The local time in `timeZone` as `14:05`, or `undefined` for an unknown time zone. */
export function localTime(timeZone: string, atMs: number): string | undefined {
  return formatterOf(timeZone)?.format(atMs);
}

/** The place in a time zone's name: `America/New_York` → `New York`. */
export function placeOf(timeZone: string): string {
  return timeZone.slice(timeZone.lastIndexOf("/") + 1).replaceAll("_", " ");
}

/** A time in this machine's time zone as `14:05`. */
export function clockTime(atMs: number): string {
  return OWN_MINUTES.format(atMs);
}

/** A time in this machine's time zone as `14:05:09`. */
export function clockTimeWithSeconds(atMs: number): string {
  return OWN_SECONDS.format(atMs);
}

/** A time with its day, unless that is today: `14:05`, `Tue 3 Mar, 14:05`. */
export function dayAndTime(atMs: number, nowMs: number): string {
  const sameDay = OWN_DAY.format(atMs) === OWN_DAY.format(nowMs);
  return sameDay ? clockTime(atMs) : `${OWN_DAY.format(atMs)}, ${clockTime(atMs)}`;
}

const OWN_MINUTES = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const OWN_SECONDS = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const OWN_DAY = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short" });

function formatterOf(timeZone: string): Intl.DateTimeFormat | undefined {
  if (!formatters.has(timeZone)) formatters.set(timeZone, createFormatter(timeZone));
  return formatters.get(timeZone);
}

function createFormatter(timeZone: string): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat("en-GB", { timeZone, hour: "2-digit", minute: "2-digit" });
  } catch {
    return undefined;
  }
}
