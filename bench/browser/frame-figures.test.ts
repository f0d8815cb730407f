import { expect, it } from "vitest";
import { figuresOf, type TraceEvent } from "./frame-figures.ts";

const PAGE = 7;
const MAIN = 70;
const TICK = 10_000;

const event = (more: Partial<TraceEvent>): TraceEvent => ({
  name: "RunTask",
  ph: "X",
  pid: PAGE,
  tid: MAIN,
  ts: 0,
  args: {},
  ...more,
});
const frame = (sequence: number, state: string, pid = PAGE) =>
  event({
    name: "PipelineReporter",
    ph: "b",
    pid,
    tid: 71,
    ts: sequence * TICK,
    args: { frame_reporter: { state, frame_sequence: sequence } },
  });
const METADATA = [
  event({ name: "TracingStartedInBrowser", ph: "I", pid: 1, args: { data: { frames: [{ processId: PAGE }] } } }),
  event({ name: "thread_name", ph: "M", args: { name: "CrRendererMain" } }),
];

it("counts presented and dropped frames", () => {
  const figures = figuresOf([
    ...METADATA,
    frame(0, "STATE_PRESENTED_ALL"),
    frame(1, "STATE_PRESENTED_PARTIAL"),
    frame(1, "STATE_DROPPED"),
    frame(2, "STATE_DROPPED"),
    frame(3, "STATE_NO_UPDATE_DESIRED"),
    frame(4, "STATE_PRESENTED_ALL"),
    frame(3, "STATE_PRESENTED_ALL", PAGE + 1),
    event({ ts: 0, dur: 1 }),
  ]);
  expect(figures.framesPerSecond, "three in 50 ms").toBeCloseTo(60);
  expect(figures.droppedPercent).toBeCloseTo(25);
});

it("measures the main thread of the page alone", () => {
  const figures = figuresOf([
    ...METADATA,
    frame(0, "STATE_PRESENTED_ALL"),
    frame(1, "STATE_PRESENTED_ALL"),
    event({ ts: 1_000, dur: 4_000, tdur: 3_000 }),
    event({ ts: 6_000, dur: 1_000, tdur: 1_000 }),
    event({ ts: 6_000, dur: 9_000, tid: MAIN + 1 }),
    event({ ts: 6_000, dur: 9_000, pid: PAGE + 1 }),
    event({ ts: 30_000, dur: 9_000 }),
  ]);
  expect(figures.busyPercent, "5 of 20 ms").toBeCloseTo(25);
  expect(figures.processorPercent, "4 of 20 ms").toBeCloseTo(20);
  expect(figures.longestTaskMs).toBe(4);
});

it("throws if the trace has no frames", () => {
  expect(() => figuresOf(METADATA)).toThrow("no frames");
});
