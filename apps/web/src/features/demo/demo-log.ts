/** What happened on the demo page, as plain data: who pressed what, what came of it, and who saw it when. */
import type { ClientId, Status } from "@presence/protocol";
import type { FrameSighting } from "./frame-protocol.ts";

export type PressKind = "close" | "open" | "reload" | "cut" | "restore" | "sign-out" | "sign-in";

export interface Press {
  kind: PressKind;
  client: ClientId;
  /** ms since the epoch */
  atMs: number;
}

export interface Seen {
  viewer: ClientId;
  /** ms since the epoch, by the viewer's clock */
  atMs: number;
  delayMs: number;
}

/** A change of somebody's status, where it happened and where it was seen. */
export interface Happening {
  key: string;
  subject: ClientId;
  status: Status;
  /** ms since the epoch */
  atMs: number;
  seen: readonly Seen[];
}

export interface DemoLog {
  presses: readonly Press[];
  /** In the order in which they happened. */
  happenings: readonly Happening[];
}

export const EMPTY_LOG: DemoLog = { presses: [], happenings: [] };

/** Of each kind the log remembers this many. */
const LIMIT = 120;

/** A press explains a change for this long: more than any lease in a demo. */
const CAUSE_WINDOW_MS = 60_000;

/** Once a reload has made no difference for this long, it won't. */
const RELOAD_SETTLED_MS = 9000;

export function withPress(log: DemoLog, press: Press): DemoLog {
  return { ...log, presses: [...log.presses, press].slice(-LIMIT) };
}

/** `log` with what `viewer` has seen of those in `cast`. One who was never online has no history to enter. */
export function withSightings(
  log: DemoLog,
  viewer: ClientId,
  sightings: readonly FrameSighting[],
  cast: readonly ClientId[],
): DemoLog {
  const relevant = sightings.filter(({ subject, sinceMs }) => cast.includes(subject) && sinceMs > 0);
  if (relevant.length === 0) return log;
  const happenings = new Map(log.happenings.map((happening) => [happening.key, happening]));
  for (const sighting of relevant) {
    const { subject, status, sinceMs: atMs } = sighting;
    const key = `${subject} ${status} ${atMs}`;
    const happening = happenings.get(key) ?? { key, subject, status, atMs, seen: [] };
    happenings.set(key, withViewer(happening, viewer, sighting.seenAtMs));
  }
  return { ...log, happenings: [...happenings.values()].sort((a, b) => a.atMs - b.atMs).slice(-LIMIT) };
}

function withViewer(happening: Happening, viewer: ClientId, atMs: number | undefined): Happening {
  if (atMs === undefined || happening.seen.some((seen) => seen.viewer === viewer)) return happening;
  const seen = { viewer, atMs, delayMs: Math.max(0, atMs - happening.atMs) };
  return { ...happening, seen: [...happening.seen, seen] };
}

/** One thing that happened, with its cause. */
export type Story =
  | { kind: "change"; happening: Happening; cause: Press | undefined }
  /** a reload that nobody noticed */
  | { kind: "calm"; press: Press };

/** What is worth telling at `nowMs`: the latest change that somebody saw, or a reload after it that came to nothing. */
export function latestStory(log: DemoLog, nowMs: number): Story | undefined {
  const happening = log.happenings.findLast(({ seen }) => seen.length > 0);
  const reload = log.presses.findLast((press) => press.kind === "reload" && isSettled(log, press, nowMs));
  if (reload !== undefined && reload.atMs + RELOAD_SETTLED_MS > (happening?.atMs ?? 0)) {
    return { kind: "calm", press: reload };
  }
  return happening === undefined ? undefined : { kind: "change", happening, cause: causeOf(log, happening) };
}

function isSettled(log: DemoLog, reload: Press, nowMs: number): boolean {
  const later = (atMs: number) => atMs >= reload.atMs && atMs <= reload.atMs + RELOAD_SETTLED_MS;
  return (
    nowMs - reload.atMs >= RELOAD_SETTLED_MS &&
    !log.happenings.some(({ subject, atMs }) => subject === reload.client && later(atMs)) &&
    !log.presses.some((press) => press !== reload && press.client === reload.client && later(press.atMs))
  );
}

const CAUSES: Record<Status, readonly PressKind[]> = {
  ONLINE: ["open", "restore", "sign-in", "reload"],
  OFFLINE: ["close", "cut", "sign-out", "reload"],
};

/** The press that led to `happening`, if one did. */
function causeOf(log: DemoLog, { subject, status, atMs }: Happening): Press | undefined {
  const before = log.presses.filter((press) => press.client === subject && press.atMs <= atMs);
  const last = before.at(-1);
  if (last === undefined || atMs - last.atMs > CAUSE_WINDOW_MS) return undefined;
  return CAUSES[status].includes(last.kind) ? last : undefined;
}

/** A stretch of time that somebody was online; `endMs` is `undefined` while it lasts. */
export interface Stretch {
  startMs: number;
  endMs: number | undefined;
}

/** When `subject` was online, as far as the log knows. */
export function onlineStretches(log: DemoLog, subject: ClientId): Stretch[] {
  const stretches: Stretch[] = [];
  for (const happening of log.happenings) {
    if (happening.subject !== subject) continue;
    const last = stretches.at(-1);
    if (happening.status === "ONLINE") {
      if (last === undefined || last.endMs !== undefined) stretches.push({ startMs: happening.atMs, endMs: undefined });
    } else if (last !== undefined && last.endMs === undefined) last.endMs = happening.atMs;
  }
  return stretches;
}
