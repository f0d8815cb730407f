import type { ClientId, Profile } from "@presence/protocol";
import { useEffect, useRef, useState } from "react";
import type { ConnectionStatus } from "../../lib/live/link-view.ts";
import { clockTimeWithSeconds } from "../../lib/time/local-time.ts";
import { formatDuration } from "../../lib/time/relative-time.ts";
import { Avatar } from "../../ui/avatar.tsx";
import { useTicking } from "../../ui/use-ticking.ts";
import { type Action, type ActionKind, type DemoLog, onlinePeriods, type StatusChange } from "./demo-log.ts";
import "./demo-timeline.css";

interface DemoTimelineProps {
  profiles: readonly Profile[];
  log: DemoLog;
  nameOf(client: ClientId): string;
  states: ReadonlyMap<ClientId, ConnectionStatus>;
}

/** Space to the right of 'now' for the labels of the latest marks, in pixels. */
const LEAD_PX = 120;
const WIDE_WINDOW_MS = 40_000;
const NARROW_WINDOW_MS = 20_000;
/** The space that a label needs, in pixels. It is hidden if the next mark is closer. */
const LABEL_PX = 112;
const GRID_MS = 10_000;

const ACTION_TEXT: Record<ActionKind, string> = {
  close: "Closed",
  open: "Opened",
  reload: "Reloaded",
  cut: "Network cut",
  restore: "Network restored",
  "sign-out": "Signed out",
  "sign-in": "Signed in",
};

/** A timeline with one lane per client: when each status changed, when each viewer saw it, and the delay. */
export function DemoTimeline({ profiles, log, nameOf, states }: DemoTimelineProps) {
  const track = useRef<HTMLDivElement>(null);
  const width = useWidth(track);
  const [originMs] = useState(() => Date.now());
  const nowMs = useTicking((ms) => ms);
  const windowMs = width < 640 ? NARROW_WINDOW_MS : WIDE_WINDOW_MS;
  const pxPerMs = Math.max(0.001, (width - LEAD_PX) / windowMs);
  const xOf = (atMs: number) => Math.round((atMs - originMs) * pxPerMs);
  const isRecent = (atMs: number) => atMs > nowMs - windowMs * 1.2;
  const actionsOf = (id: ClientId) => log.actions.filter(({ client, atMs }) => client === id && isRecent(atMs));
  const hasRoom = (atMs: number, nextAtMs: number | undefined) =>
    nextAtMs === undefined || xOf(nextAtMs) - xOf(atMs) > LABEL_PX;
  const shift = width - LEAD_PX - xOf(nowMs);
  const statusChanges = log.statusChanges.filter(
    ({ atMs, observations }) => isRecent(atMs) || observations.some((one) => isRecent(one.atMs)),
  );

  return (
    <section className="timeline" aria-label="Timeline">
      <ul className="timeline__names">
        {profiles.map(({ id, name }) => (
          <li key={id} className="timeline__name">
            <Avatar client={id} name={name} size="s" />
            <span>{nameOf(id)}</span>
          </li>
        ))}
      </ul>
      <div className="timeline__track" ref={track}>
        <Grid windowMs={windowMs} pxPerMs={pxPerMs} />
        <ol className="timeline__lanes" style={{ transform: `translateX(${shift}px)` }}>
          {statusChanges.map(({ key, atMs }) => (
            <li key={key} className="timeline__drop" style={{ left: xOf(atMs) }} aria-hidden="true" />
          ))}
          {profiles.map(({ id }) => (
            <li key={id} className="timeline__lane" data-client={id} data-state={states.get(id)}>
              <span className="visually-hidden">{nameOf(id)}</span>
              {onlinePeriods(log, id).map(({ startMs, endMs }) => {
                const start = Math.max(xOf(startMs), xOf(nowMs - windowMs * 1.2));
                const end = xOf(endMs ?? nowMs);
                return end <= start ? null : (
                  <span key={startMs} className="timeline__online" style={{ left: start, width: end - start }} />
                );
              })}
              {actionsOf(id).map((action, index, all) => (
                <ActionMark
                  key={`${action.kind} ${action.atMs}`}
                  action={action}
                  x={xOf(action.atMs)}
                  isLabelled={hasRoom(action.atMs, all[index + 1]?.atMs)}
                  name={nameOf(id)}
                />
              ))}
              {statusChanges
                .filter(({ subject }) => subject === id)
                .map((change) => (
                  <OriginMark key={change.key} change={change} x={xOf(change.atMs)} name={nameOf(id)} />
                ))}
              {observedBy(id, statusChanges).map(({ change, atMs, delayMs }, index, all) => (
                <SeenMark
                  key={change.key}
                  change={change}
                  viewer={id}
                  delayMs={delayMs}
                  x={xOf(atMs)}
                  isLabelled={hasRoom(atMs, all[index + 1]?.atMs)}
                  subjectName={nameOf(change.subject)}
                  text={`${nameOf(id)} saw ${nameOf(change.subject)} ${verbOf(change)} after ${formatDuration(delayMs)}`}
                />
              ))}
            </li>
          ))}
        </ol>
      </div>
      <Legend />
    </section>
  );
}

function Grid({ windowMs, pxPerMs }: { windowMs: number; pxPerMs: number }) {
  const steps = Array.from({ length: windowMs / GRID_MS + 1 }, (_, index) => index * GRID_MS);
  return (
    <div className="timeline__grid" aria-hidden="true">
      {steps.map((agoMs) => (
        <span key={agoMs} className="timeline__line" style={{ right: LEAD_PX + agoMs * pxPerMs }}>
          {agoMs === 0 ? "now" : `${agoMs / 1000} s ago`}
        </span>
      ))}
    </div>
  );
}

interface ActionMarkProps {
  action: Action;
  x: number;
  isLabelled: boolean;
  name: string;
}

function ActionMark({ action, x, isLabelled, name }: ActionMarkProps) {
  return (
    <span
      className="timeline__action"
      data-testid="press-mark"
      data-client={action.client}
      data-kind={action.kind}
      style={{ left: x }}
    >
      <span className="visually-hidden">
        {name}, {clockTimeWithSeconds(action.atMs)}: {ACTION_TEXT[action.kind]}
      </span>
      {isLabelled && <span aria-hidden="true">{ACTION_TEXT[action.kind]}</span>}
    </span>
  );
}

function OriginMark({ change, x, name }: { change: StatusChange; x: number; name: string }) {
  return (
    <span
      className="timeline__origin"
      data-testid="origin-mark"
      data-subject={change.subject}
      data-status={change.status}
      data-at-ms={change.atMs}
      style={{ left: x }}
    >
      <span className="visually-hidden">
        {name} {change.status === "ONLINE" ? "came online" : "went offline"}, {clockTimeWithSeconds(change.atMs)}
      </span>
    </span>
  );
}

interface SeenMarkProps {
  change: StatusChange;
  viewer: ClientId;
  delayMs: number;
  x: number;
  isLabelled: boolean;
  subjectName: string;
  text: string;
}

function SeenMark({ change, viewer, delayMs, x, isLabelled, subjectName, text }: SeenMarkProps) {
  return (
    <span
      className="timeline__seen"
      data-testid="mark"
      data-subject={change.subject}
      data-viewer={viewer}
      data-status={change.status}
      data-delay-ms={Math.round(delayMs)}
      style={{ left: x }}
    >
      <span className="visually-hidden">{text}</span>
      {isLabelled && (
        <span className="timeline__delay" aria-hidden="true">
          {subjectName} +{formatDuration(delayMs)}
        </span>
      )}
    </span>
  );
}

function Legend() {
  return (
    <ul className="timeline__legend" aria-hidden="true">
      <li>
        <span className="timeline__key timeline__key--origin" data-status="ONLINE" /> online
      </li>
      <li>
        <span className="timeline__key timeline__key--origin" data-status="OFFLINE" /> offline (time of the change)
      </li>
      <li>
        <span className="timeline__key timeline__key--seen" data-status="ONLINE" />
        <span className="timeline__key timeline__key--seen" data-status="OFFLINE" /> time when another client saw it,
        and the delay
      </li>
    </ul>
  );
}

/** The changes that `viewer` observed, sorted by the time of observation. */
function observedBy(viewer: ClientId, statusChanges: readonly StatusChange[]) {
  return statusChanges
    .flatMap((change) =>
      change.observations
        .filter((observation) => observation.viewer === viewer)
        .map(({ atMs, delayMs }) => ({ change, atMs, delayMs })),
    )
    .sort((a, b) => a.atMs - b.atMs);
}

function verbOf({ status }: StatusChange): string {
  return status === "ONLINE" ? "come online" : "go offline";
}

function useWidth(target: React.RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const element = target.current;
    if (element === null) return;
    const observer = new ResizeObserver(([entry]) => setWidth(entry?.contentRect.width ?? 0));
    observer.observe(element);
    return () => observer.disconnect();
  }, [target]);
  return width;
}
