/** What a trace of Chromium's says of one page. */
export interface FrameFigures {
  /** Frames that came to the screen, per second. */
  framesPerSecond: number;
  /** Of the frames that had something new to show, those that came too late to show it; from 0 to 1. */
  droppedShare: number;
  /** Of the time, that in which the main thread had something to do; from 0 to 1. Waiting for a processor counts. */
  busyShare: number;
  /** Of the time, that for which it had a processor meanwhile; from 0 to 1. */
  processorShare: number;
  longestTaskMs: number;
}

/** What has to be traced for it. */
export const TRACE_CATEGORIES = [
  "disabled-by-default-devtools.timeline",
  "disabled-by-default-devtools.timeline.frame",
];

export interface TraceEvent {
  name: string;
  /** `X` has a duration, `b` begins something that another event ends. */
  ph: string;
  pid: number;
  tid: number;
  /** µs */
  ts: number;
  /** µs */
  dur?: number;
  /** Of the duration, what the thread had a processor for, µs. */
  tdur?: number;
  args: {
    /** Of a thread. */
    name?: string;
    data?: { frames?: readonly { processId: number }[] };
    frame_reporter?: { state: string; frame_sequence: number };
  };
}

const MICROS_PER_MS = 1_000;
const MICROS_PER_SECOND = 1_000_000;

/** @throws where the trace isn't one of a page that drew frames */
export function figuresOf(events: readonly TraceEvent[]): FrameFigures {
  const pid = events.find(({ name }) => name === "TracingStartedInBrowser")?.args.data?.frames?.[0]?.processId;
  const ofPage = events.filter((event) => event.pid === pid);
  const main = ofPage.find(({ name, args }) => name === "thread_name" && args.name === "CrRendererMain")?.tid;
  const frames = ofPage.filter(({ name, ph }) => name === "PipelineReporter" && ph === "b");
  const span = spanOf(frames);
  const tasks = ofPage.filter(({ name, ph, tid }) => name === "RunTask" && ph === "X" && tid === main);
  if (frames.length === 0 || tasks.length === 0) throw new Error("the trace has no frames of the page.");

  // One frame has two reports where the compositor's part of it and the page's came separately.
  const presented = sequencesOf(frames, "STATE_PRESENTED");
  const dropped = [...sequencesOf(frames, "STATE_DROPPED")].filter((sequence) => !presented.has(sequence));
  const within = tasks.filter(({ ts }) => ts >= span.from && ts < span.to);
  return {
    framesPerSecond: (presented.size * MICROS_PER_SECOND) / (span.to - span.from),
    droppedShare: dropped.length / (presented.size + dropped.length),
    busyShare: within.reduce((sum, { dur = 0 }) => sum + dur, 0) / (span.to - span.from),
    processorShare: within.reduce((sum, { tdur = 0 }) => sum + tdur, 0) / (span.to - span.from),
    longestTaskMs: Math.max(...within.map(({ dur = 0 }) => dur)) / MICROS_PER_MS,
  };
}

/** From the first frame's beginning to where the one after the last would begin, µs. */
function spanOf(frames: readonly TraceEvent[]): { from: number; to: number } {
  const starts = frames.map(({ ts }) => ts);
  const [from, last] = [Math.min(...starts), Math.max(...starts)];
  const others = new Set(frames.map(({ args }) => args.frame_reporter?.frame_sequence)).size - 1;
  return { from, to: last + (others > 0 ? (last - from) / others : 0) };
}

function sequencesOf(frames: readonly TraceEvent[], state: string): Set<number> {
  return new Set(
    frames.flatMap(({ args: { frame_reporter: report } }) =>
      report?.state.startsWith(state) ? [report.frame_sequence] : [],
    ),
  );
}
