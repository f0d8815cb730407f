/** Figures of one page, from a trace of Chromium. */
export interface FrameFigures {
  /** Frames that were presented, per second. */
  framesPerSecond: number;
  /** Of the frames with something new to show, those that were too late. */
  droppedPercent: number;
  /** How much of the time the main thread had a task, including time spent waiting for a processor. */
  busyPercent: number;
  /** How much of the time the main thread ran on a processor. */
  processorPercent: number;
  longestTaskMs: number;
}

/** The categories to trace. */
export const TRACE_CATEGORIES = [
  "disabled-by-default-devtools.timeline",
  "disabled-by-default-devtools.timeline.frame",
];

export interface TraceEvent {
  name: string;
  /** `X`: an event with a duration; `b`: the start of an asynchronous event. */
  ph: string;
  pid: number;
  tid: number;
  /** µs */
  ts: number;
  /** µs */
  dur?: number;
  /** The part of the duration on a processor, µs. */
  tdur?: number;
  args: {
    /** The name of a thread. */
    name?: string;
    data?: { frames?: readonly { processId: number }[] };
    frame_reporter?: { state: string; frame_sequence: number };
  };
}

const MICROS_PER_MS = 1_000;
const MICROS_PER_SECOND = 1_000_000;

/** @throws if the trace has no frames of the page */
export function figuresOf(events: readonly TraceEvent[]): FrameFigures {
  const pid = events.find(({ name }) => name === "TracingStartedInBrowser")?.args.data?.frames?.[0]?.processId;
  const ofPage = events.filter((event) => event.pid === pid);
  const main = ofPage.find(({ name, args }) => name === "thread_name" && args.name === "CrRendererMain")?.tid;
  const frames = ofPage.filter(({ name, ph }) => name === "PipelineReporter" && ph === "b");
  const span = spanOf(frames);
  const tasks = ofPage.filter(({ name, ph, tid }) => name === "RunTask" && ph === "X" && tid === main);
  if (frames.length === 0 || tasks.length === 0) throw new Error("the trace has no frames of the page.");

  // A frame has two reports if the compositor's part and the page's part were presented separately.
  const presented = sequencesOf(frames, "STATE_PRESENTED");
  const dropped = [...sequencesOf(frames, "STATE_DROPPED")].filter((sequence) => !presented.has(sequence));
  const within = tasks.filter(({ ts }) => ts >= span.from && ts < span.to);
  return {
    framesPerSecond: (presented.size * MICROS_PER_SECOND) / (span.to - span.from),
    droppedPercent: (100 * dropped.length) / (presented.size + dropped.length),
    busyPercent: (100 * within.reduce((sum, { dur = 0 }) => sum + dur, 0)) / (span.to - span.from),
    processorPercent: (100 * within.reduce((sum, { tdur = 0 }) => sum + tdur, 0)) / (span.to - span.from),
    longestTaskMs: Math.max(...within.map(({ dur = 0 }) => dur)) / MICROS_PER_MS,
  };
}

/** From the start of the first frame to the end of the last one, µs. */
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
