import type { ClientId, Profile } from "@presence/protocol";
import { useEffect, useRef, useState } from "react";
import type { ConnectionWord } from "../../lib/live/link-view.ts";
import { clockTimeWithSeconds } from "../../lib/time/local-time.ts";
import { formatDuration } from "../../lib/time/relative-time.ts";
import { Avatar } from "../../ui/avatar.tsx";
import { useTicking } from "../../ui/use-ticking.ts";
import { type DemoLog, type Happening, onlineStretches, type Press, type PressKind } from "./demo-log.ts";
import "./demo-timeline.css";

interface DemoTimelineProps {
  cast: readonly Profile[];
  log: DemoLog;
  nameOf(client: ClientId): string;
  states: ReadonlyMap<ClientId, ConnectionWord>;
}

/** Room right of 'now' for what has just happened and its label, in pixels. */
const LEAD_PX = 120;
const WIDE_WINDOW_MS = 40_000;
const NARROW_WINDOW_MS = 20_000;
/** A label that would run into the next mark gives way. */
const LABEL_PX = 112;
const GRID_MS = 10_000;

const PRESS_WORDS: Record<PressKind, string> = {
  close: "Closed",
  open: "Opened",
  reload: "Reloaded",
  cut: "Network cut",
  restore: "Network restored",
  "sign-out": "Signed out",
  "sign-in": "Signed in",
};

/** One axis of time for all: where each change happened, where each viewer saw it, and how long that took. */
export function DemoTimeline({ cast, log, nameOf, states }: DemoTimelineProps) {
  const track = useRef<HTMLDivElement>(null);
  const width = useWidth(track);
  const [originMs] = useState(() => Date.now());
  const nowMs = useTicking((ms) => ms);
  const windowMs = width < 640 ? NARROW_WINDOW_MS : WIDE_WINDOW_MS;
  const pxPerMs = Math.max(0.001, (width - LEAD_PX) / windowMs);
  const xOf = (atMs: number) => Math.round((atMs - originMs) * pxPerMs);
  const isRecent = (atMs: number) => atMs > nowMs - windowMs * 1.2;
  const pressesOf = (id: ClientId) => log.presses.filter(({ client, atMs }) => client === id && isRecent(atMs));
  const hasRoom = (atMs: number, nextAtMs: number | undefined) =>
    nextAtMs === undefined || xOf(nextAtMs) - xOf(atMs) > LABEL_PX;
  const shift = width - LEAD_PX - xOf(nowMs);
  const happenings = log.happenings.filter(
    ({ atMs, seen }) => isRecent(atMs) || seen.some((one) => isRecent(one.atMs)),
  );

  return (
    <section className="timeline" aria-label="Timeline">
      <ul className="timeline__names">
        {cast.map(({ id, name }) => (
          <li key={id} className="timeline__name">
            <Avatar client={id} name={name} size="s" />
            <span>{nameOf(id)}</span>
          </li>
        ))}
      </ul>
      <div className="timeline__track" ref={track}>
        <Grid windowMs={windowMs} pxPerMs={pxPerMs} />
        <ol className="timeline__lanes" style={{ transform: `translateX(${shift}px)` }}>
          {happenings.map(({ key, atMs }) => (
            <li key={key} className="timeline__drop" style={{ left: xOf(atMs) }} aria-hidden="true" />
          ))}
          {cast.map(({ id }) => (
            <li key={id} className="timeline__lane" data-client={id} data-state={states.get(id)}>
              <span className="visually-hidden">{nameOf(id)}</span>
              {onlineStretches(log, id).map(({ startMs, endMs }) => {
                const start = Math.max(xOf(startMs), xOf(nowMs - windowMs * 1.2));
                const end = xOf(endMs ?? nowMs);
                return end <= start ? null : (
                  <span key={startMs} className="timeline__online" style={{ left: start, width: end - start }} />
                );
              })}
              {pressesOf(id).map((press, index, all) => (
                <PressMark
                  key={`${press.kind} ${press.atMs}`}
                  press={press}
                  x={xOf(press.atMs)}
                  isLabelled={hasRoom(press.atMs, all[index + 1]?.atMs)}
                  name={nameOf(id)}
                />
              ))}
              {happenings
                .filter(({ subject }) => subject === id)
                .map((happening) => (
                  <OriginMark key={happening.key} happening={happening} x={xOf(happening.atMs)} name={nameOf(id)} />
                ))}
              {seenBy(id, happenings).map(({ happening, atMs, delayMs }, index, all) => (
                <SeenMark
                  key={happening.key}
                  happening={happening}
                  viewer={id}
                  delayMs={delayMs}
                  x={xOf(atMs)}
                  isLabelled={hasRoom(atMs, all[index + 1]?.atMs)}
                  subjectName={nameOf(happening.subject)}
                  words={`${nameOf(id)} saw ${nameOf(happening.subject)} ${wordOf(happening)} after ${formatDuration(delayMs)}`}
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

interface PressMarkProps {
  press: Press;
  x: number;
  isLabelled: boolean;
  name: string;
}

function PressMark({ press, x, isLabelled, name }: PressMarkProps) {
  return (
    <span
      className="timeline__press"
      data-testid="press-mark"
      data-client={press.client}
      data-kind={press.kind}
      style={{ left: x }}
    >
      <span className="visually-hidden">
        {name}, {clockTimeWithSeconds(press.atMs)}: {PRESS_WORDS[press.kind]}
      </span>
      {isLabelled && <span aria-hidden="true">{PRESS_WORDS[press.kind]}</span>}
    </span>
  );
}

function OriginMark({ happening, x, name }: { happening: Happening; x: number; name: string }) {
  return (
    <span
      className="timeline__origin"
      data-testid="origin-mark"
      data-subject={happening.subject}
      data-status={happening.status}
      data-at-ms={happening.atMs}
      style={{ left: x }}
    >
      <span className="visually-hidden">
        {name} {wordOf(happening)}, {clockTimeWithSeconds(happening.atMs)}
      </span>
    </span>
  );
}

interface SeenMarkProps {
  happening: Happening;
  viewer: ClientId;
  delayMs: number;
  x: number;
  isLabelled: boolean;
  subjectName: string;
  words: string;
}

function SeenMark({ happening, viewer, delayMs, x, isLabelled, subjectName, words }: SeenMarkProps) {
  return (
    <span
      className="timeline__seen"
      data-testid="mark"
      data-subject={happening.subject}
      data-viewer={viewer}
      data-status={happening.status}
      data-delay-ms={Math.round(delayMs)}
      style={{ left: x }}
    >
      <span className="visually-hidden">{words}</span>
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
        <span className="timeline__key timeline__key--origin" data-status="OFFLINE" /> offline, where it happened
      </li>
      <li>
        <span className="timeline__key timeline__key--seen" data-status="ONLINE" />
        <span className="timeline__key timeline__key--seen" data-status="OFFLINE" /> where another saw it, and how long
        after
      </li>
    </ul>
  );
}

/** What `viewer` has seen of the others, in that order. */
function seenBy(viewer: ClientId, happenings: readonly Happening[]) {
  return happenings
    .flatMap((happening) =>
      happening.seen
        .filter((seen) => seen.viewer === viewer)
        .map(({ atMs, delayMs }) => ({ happening, atMs, delayMs })),
    )
    .sort((a, b) => a.atMs - b.atMs);
}

function wordOf({ status }: Happening): string {
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
