import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { onScopeEnd } from "../setup/scope.ts";
import type { Loads } from "./load-process.ts";

/** Calls a function of the load process. */
export type Load = <K extends keyof Loads>(
  kind: K,
  ...args: Parameters<Loads[K]>
) => Promise<Awaited<ReturnType<Loads[K]>>>;

/** Starts a process that generates load. It is stopped with the scope. */
export function startLoad(): Load {
  const child = fork(fileURLToPath(new URL("load-process.ts", import.meta.url)));
  onScopeEnd(() => child.disconnect());
  return async (kind, ...args) => {
    child.send({ kind, args });
    const [report] = await once(child, "message");
    return report;
  };
}
