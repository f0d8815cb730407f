import { describe, expect, it } from "vitest";
import { nextWorkerState, TICK_MS, type WorkerContext, type WorkerEvent, type WorkerState } from "./worker-state.ts";

const STABLE_MS = 10_000;

function run(state: WorkerState, kinds: WorkerEvent["kind"][], context: Partial<WorkerContext> = {}): WorkerState {
  return kinds.reduce(
    (current, kind) => nextWorkerState(current, { kind }, { nowMs: 0, random: 1, canShare: true, ...context }),
    state,
  );
}

const STOPPED: WorkerState = { kind: "stopped" };
const RUNNING = run(STOPPED, ["start", "heard"]);

describe("a running worker", () => {
  it("is kept while it answers", () => {
    const answering = Array.from({ length: 20 }, () => ["tick", "tick", "heard"] as const).flat();
    expect(run(RUNNING, answering)).toEqual(RUNNING);
  });

  it("is given up after three ticks without an answer, and replaced by one with another name", () => {
    expect(run(RUNNING, ["tick", "tick"])).toMatchObject({ kind: "running", silentTicks: 2 });
    expect(run(RUNNING, ["tick", "tick", "tick"])).toMatchObject({
      kind: "waiting",
      choice: { kind: "shared", generation: 1 },
    });
  });

  it("is not given up after a long time in which the page didn't tick", () => {
    const resumed = run(RUNNING, ["tick"], { nowMs: 100 * TICK_MS });
    expect(run(resumed, ["heard"], { nowMs: 100 * TICK_MS })).toEqual(RUNNING);
  });

  it("is replaced at once, under the same name, when it has ended", () => {
    const nowMs = STABLE_MS;
    const waiting = run(RUNNING, ["ended"], { nowMs });
    expect(waiting).toEqual({
      kind: "waiting",
      choice: { kind: "shared", generation: 0 },
      failures: 0,
      retryAtMs: nowMs + 50,
    });
    expect(run(waiting, ["retry"])).toEqual(run(STOPPED, ["start"]));
  });

  it("counts as a failure if it ends soon", () => {
    expect(run(RUNNING, ["ended"], { nowMs: STABLE_MS - 1 })).toMatchObject({
      failures: 1,
      retryAtMs: STABLE_MS - 1 + 500,
    });
    const second = run(RUNNING, ["ended", "retry", "heard", "ended"]);
    expect(second).toMatchObject({ failures: 2, retryAtMs: 1_000 });
  });

  it("is kept after an uncaught exception", () => {
    expect(run(RUNNING, ["failed"])).toBe(RUNNING);
  });
});

describe("a worker that starts", () => {
  it("is tried once more under its name if it sends nothing, and then under another name", () => {
    const first = run(STOPPED, ["start", "tick", "tick"]);
    expect(first).toMatchObject({ kind: "waiting", failures: 1, choice: { kind: "shared", generation: 0 } });
    const second = run(first, ["retry", "tick", "tick", "tick", "tick"]);
    expect(second).toMatchObject({ kind: "waiting", failures: 2, choice: { generation: 1 } });
  });

  it("gets more time after each failure", () => {
    const second = run(STOPPED, ["start", "failed", "retry"]);
    expect(run(second, ["tick", "tick", "tick"])).toMatchObject({ kind: "starting" });
    expect(run(second, ["tick", "tick", "tick", "tick"])).toMatchObject({ kind: "waiting" });
  });

  it("is retried with growing waits if it can't be loaded, as shared and dedicated worker in turn", () => {
    const kinds: string[] = [];
    const waitsMs: number[] = [];
    let state = run(STOPPED, ["start"]);
    for (let failures = 0; failures < 6; failures += 1) {
      state = run(state, ["failed"]);
      if (state.kind !== "waiting") throw new Error(`It is ${state.kind}.`);
      kinds.push(state.choice.kind);
      waitsMs.push(state.retryAtMs);
      state = run(state, ["retry"]);
    }
    expect(kinds).toEqual(["shared", "dedicated", "shared", "dedicated", "shared", "dedicated"]);
    expect(waitsMs.slice(0, 4)).toEqual([500, 1_000, 2_000, 4_000]);
  });

  it("is dedicated if the page can't share one", () => {
    const alone = { canShare: false };
    expect(run(STOPPED, ["start"], alone)).toMatchObject({ choice: { kind: "dedicated" } });
    expect(run(STOPPED, ["start", "failed"], alone)).toMatchObject({ choice: { kind: "dedicated" } });
  });
});

it("ignores events that don't apply", () => {
  const waiting = run(RUNNING, ["ended"]);
  for (const kind of ["start", "tick", "heard", "ended", "failed"] as const) {
    expect(run(waiting, [kind])).toBe(waiting);
  }
  for (const kind of ["stop", "tick", "heard", "ended", "failed", "retry"] as const) {
    expect(run(STOPPED, [kind])).toBe(STOPPED);
  }
  for (const state of [RUNNING, waiting, run(STOPPED, ["start"])]) expect(run(state, ["stop"])).toEqual(STOPPED);
});
