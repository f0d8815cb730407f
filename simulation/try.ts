import { simulateLogic } from "./logic/simulate-logic.ts";

const n = Number(process.argv[2] ?? 200),
  base = Number(process.argv[3] ?? 1);
const on = process.argv[4] ?? "";
const faults = { redis: on.includes("r"), clockSteps: on.includes("c"), brokenCalls: on.includes("b") };
const t = performance.now();
let failed = 0;
const kinds = new Map<string, number>();
for (let s = base; s < base + n; s++) {
  const f = simulateLogic(s, faults);
  if (f) {
    failed++;
    const k = f.message.split(":")[0] ?? "";
    kinds.set(k, (kinds.get(k) ?? 0) + 1);
    if (failed <= 2) console.log(f.seed, f.message, JSON.stringify(f.steps), "\n" + f.diagram);
  }
}
console.log(n, "schedules", failed, "failed", ((performance.now() - t) / n).toFixed(2), "ms each", [...kinds]);
