/** Clients of our server beside its roster. The peers use their ids too, so that this file imports nothing. */

export function colleaguePath(index: number): string {
  return `/events/${colleagueId(index)}`;
}

export function colleagueId(index: number): string {
  return `colleague-${String(index + 1).padStart(5, "0")}`;
}

export function colleagueIds(count: number): string[] {
  return Array.from({ length: count }, (_, index) => colleagueId(index));
}
