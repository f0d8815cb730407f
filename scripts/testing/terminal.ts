import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { expect } from "vitest";

const OUTPUT_LIMIT_MS = 30_000;
/** On a terminal, what is written to either stream appears in the order in which it was written. */
const BOTH_STREAMS_AS_ONE = 'exec "$@" 2>&1';

/** A command in a process group of its own, as a terminal runs it. */
export interface TerminalCommand {
  /** Of the shell that it was started from. */
  pid: number;
  /** All that it has written so far. */
  output(): string;
  /** Waits until it has written something like this, and returns what the pattern's first group has matched. */
  shows(pattern: RegExp): Promise<string>;
  /** Ctrl-C: the whole group hears of it. */
  interrupt(): void;
  /** The terminal is closed. */
  hangUp(): void;
  /** A polite kill of the command alone. */
  terminate(): void;
  /** Resolves when nothing of it runs any more, with its exit status or the signal that ended it. */
  ended: Promise<number | NodeJS.Signals>;
  /** Ends by force whatever of it still runs. */
  kill(): void;
}

export function runInTerminal(
  command: readonly string[],
  { cwd, env = {} }: { cwd: string; env?: Record<string, string> },
): TerminalCommand {
  const child = spawn("sh", ["-c", BOTH_STREAMS_AS_ONE, "sh", ...command], {
    cwd,
    env: { ...freshEnvironment(), ...env },
    detached: true,
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    output += chunk;
  });
  const signalGroup = (signal: NodeJS.Signals) => {
    try {
      process.kill(-groupOf(child), signal);
    } catch {
      // It is gone already.
    }
  };
  return {
    pid: groupOf(child),
    output: () => output,
    shows: async (pattern) => {
      await expect.poll(() => output, { timeout: OUTPUT_LIMIT_MS, interval: 20 }).toMatch(pattern);
      return output.match(pattern)?.[1] ?? "";
    },
    interrupt: () => signalGroup("SIGINT"),
    hangUp: () => signalGroup("SIGHUP"),
    terminate: () => void child.kill("SIGTERM"),
    // The output closes when the last process that holds it has ended.
    ended: once(child, "close").then(([status, signal]) => status ?? signal),
    kill: () => signalGroup("SIGKILL"),
  };
}

function groupOf(child: ChildProcess): number {
  if (child.pid === undefined) {
    throw new Error("The command could not be started.");
  }
  return child.pid;
}

/**
 * The environment without what the npm that runs these tests put there. What npm has to remark on the settings of its
 * user is no output of ours.
 */
function freshEnvironment(): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !/^npm_|^CI$|^NODE_ENV$|^VITEST/.test(name));
  return { ...Object.fromEntries(inherited), npm_config_loglevel: "error" };
}
