/** The demo page's log: the user's actions, the status changes, and when each viewer observed them. */
import type { ClientId, Status } from "@presence/protocol";
import type { FrameChange } from "./frame-protocol.ts";

export type ActionKind = "close" | "open" | "reload" | "cut" | "restore" | "sign-out" | "sign-in";

/** A click on one of the demo page's buttons. */
export interface Action {
  kind: ActionKind;
  client: ClientId;
  /** ms since the epoch */
  atMs: number;
}

/** When one viewer observed a status change. */
export interface Observation {
  viewer: ClientId;
  /** ms since the epoch, by the viewer's clock */
  atMs: number;
  /** Time from the change to the observation. */
  delayMs: number;
}

/** A change of one client's status, and when the others observed it. */
export interface StatusChange {
  key: string;
  subject: ClientId;
  status: Status;
  /** ms since the epoch */
  atMs: number;
  observations: readonly Observation[];
}

export interface DemoLog {
  actions: readonly Action[];
  /** Sorted by time. */
  statusChanges: readonly StatusChange[];
}

export const EMPTY_LOG: DemoLog = { actions: [], statusChanges: [] };

/** The maximum number of actions and of status changes in the log. */
const LIMIT = 120;

/** An action is the cause of a change within this time. It is longer than any lease in a demo. */
const CAUSE_WINDOW_MS = 60_000;

/** A reload without a status change for this long won't cause one. */
const RELOAD_SETTLED_MS = 9000;

/** Adds an action. */
export function withAction(log: DemoLog, action: Action): DemoLog {
  return { ...log, actions: [...log.actions, action].slice(-LIMIT) };
}

/** Adds the changes of `clients` that `viewer` reports. Clients that were never online are ignored. */
export function withChanges(
  log: DemoLog,
  viewer: ClientId,
  changes: readonly FrameChange[],
  clients: readonly ClientId[],
): DemoLog {
  const relevant = changes.filter(({ subject, sinceMs }) => clients.includes(subject) && sinceMs > 0);
  if (relevant.length === 0) return log;
  const statusChanges = new Map(log.statusChanges.map((change) => [change.key, change]));
  for (const { subject, status, sinceMs: atMs, seenAtMs } of relevant) {
    const key = `${subject} ${status} ${atMs}`;
    const change = statusChanges.get(key) ?? { key, subject, status, atMs, observations: [] };
    statusChanges.set(key, withObservation(change, viewer, seenAtMs));
  }
  return { ...log, statusChanges: [...statusChanges.values()].sort((a, b) => a.atMs - b.atMs).slice(-LIMIT) };
}

function withObservation(change: StatusChange, viewer: ClientId, atMs: number | undefined): StatusChange {
  if (atMs === undefined || change.observations.some((observation) => observation.viewer === viewer)) return change;
  const observation = { viewer, atMs, delayMs: Math.max(0, atMs - change.atMs) };
  return { ...change, observations: [...change.observations, observation] };
}

/** What the page tells about the latest event. */
export type Summary =
  /** a status change, with the action that caused it */
  | { kind: "change"; change: StatusChange; cause: Action | undefined }
  /** a reload that changed no status */
  | { kind: "unnoticed-reload"; action: Action };

/** The summary at `nowMs`: the latest observed change, or a later reload without a status change. */
export function latestSummary(log: DemoLog, nowMs: number): Summary | undefined {
  const change = log.statusChanges.findLast(({ observations }) => observations.length > 0);
  const reload = log.actions.findLast((action) => action.kind === "reload" && isSettled(log, action, nowMs));
  if (reload !== undefined && reload.atMs + RELOAD_SETTLED_MS > (change?.atMs ?? 0)) {
    return { kind: "unnoticed-reload", action: reload };
  }
  return change === undefined ? undefined : { kind: "change", change, cause: causeOf(log, change) };
}

function isSettled(log: DemoLog, reload: Action, nowMs: number): boolean {
  const later = (atMs: number) => atMs >= reload.atMs && atMs <= reload.atMs + RELOAD_SETTLED_MS;
  return (
    nowMs - reload.atMs >= RELOAD_SETTLED_MS &&
    !log.statusChanges.some(({ subject, atMs }) => subject === reload.client && later(atMs)) &&
    !log.actions.some((action) => action !== reload && action.client === reload.client && later(action.atMs))
  );
}

const CAUSES: Record<Status, readonly ActionKind[]> = {
  ONLINE: ["open", "restore", "sign-in", "reload"],
  OFFLINE: ["close", "cut", "sign-out", "reload"],
};

/** The action that caused the change, if there is one. */
function causeOf(log: DemoLog, { subject, status, atMs }: StatusChange): Action | undefined {
  const before = log.actions.filter((action) => action.client === subject && action.atMs <= atMs);
  const last = before.at(-1);
  if (last === undefined || atMs - last.atMs > CAUSE_WINDOW_MS) return undefined;
  return CAUSES[status].includes(last.kind) ? last : undefined;
}

/** A period in which a client was online, in ms since the epoch; `endMs` is `undefined` while it lasts. */
export interface OnlinePeriod {
  startMs: number;
  endMs: number | undefined;
}

/** The periods in the log in which `subject` was online. */
export function onlinePeriods(log: DemoLog, subject: ClientId): OnlinePeriod[] {
  const periods: OnlinePeriod[] = [];
  for (const change of log.statusChanges) {
    if (change.subject !== subject) continue;
    const last = periods.at(-1);
    if (change.status === "ONLINE") {
      if (last === undefined || last.endMs !== undefined) periods.push({ startMs: change.atMs, endMs: undefined });
    } else if (last !== undefined && last.endMs === undefined) last.endMs = change.atMs;
  }
  return periods;
}
