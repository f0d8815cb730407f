import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { onScopeEnd } from "../setup/scope.ts";
import type { LoadOrder, LoadReport } from "./load-process.ts";

/** Carries out an order. */
export type Load = (order: LoadOrder) => Promise<LoadReport>;

/** Starts a process that generates load. It is stopped with the scope. */
export function startLoad(): Load {
  const child = fork(fileURLToPath(new URL("load-process.ts", import.meta.url)));
  onScopeEnd(() => child.disconnect());
  return async (order) => {
    child.send(order);
    const [report] = await once(child, "message");
    return report as LoadReport;
  };
}
