import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, onTestFinished } from "vitest";
import { root } from "../setup/checkout.mjs";

const OUTPUT_LIMIT_MS = 60_000;
/** As on a terminal, both streams appear in the order in which they were written. */
const BOTH_STREAMS_AS_ONE = 'exec "$@" 2>&1';

/** A command in a process group of its own, as a terminal runs it. What is left of it is killed when its test ends. */
export interface TerminalCommand {
  /** The id of the process and of its group. */
  pid: number;
  /** Everything that it has written so far. */
  output(): string;
  /** The lines that it has written, without those of npm and of the preparation of the checkout. */
  lines(): string[];
  /** Waits until the output matches, and returns what the pattern's first group has matched. */
  shows(pattern: RegExp): Promise<string>;
  /** Sends a signal to the whole group: SIGINT is what Ctrl-C does, SIGHUP what closing the terminal does. */
  signal(signal: NodeJS.Signals): void;
  /** Sends SIGTERM to the command alone. */
  terminate(): void;
  /** Resolves when the last of its processes has ended, with the exit status or the signal that ended the command. */
  ended: Promise<number | NodeJS.Signals>;
}

export function runInTerminal(
  command: readonly string[],
  { cwd = root, env = {} }: { cwd?: string; env?: Record<string, string> } = {},
): TerminalCommand {
  const child = spawn("sh", ["-c", BOTH_STREAMS_AS_ONE, "sh", ...command], {
    cwd,
    env: { ...freshEnvironment(), ...env },
    detached: true,
  });
  const { pid } = child;
  if (pid === undefined) throw new Error("The command could not be started.");
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    output += chunk;
  });
  const signal = (name: NodeJS.Signals) => {
    try {
      process.kill(-pid, name);
    } catch {
      // The group has ended.
    }
  };
  onTestFinished(() => signal("SIGKILL"));
  return {
    pid,
    output: () => output,
    lines: () => output.split("\n").filter((line) => line !== "" && !/^> | …$/.test(line)),
    shows: async (pattern) => {
      await expect.poll(() => output, { timeout: OUTPUT_LIMIT_MS, interval: 20 }).toMatch(pattern);
      return output.match(pattern)?.[1] ?? "";
    },
    signal,
    terminate: () => void child.kill("SIGTERM"),
    // The output closes when the last process that holds it has ended.
    ended: once(child, "close").then(([status, signalName]) => status ?? signalName),
  };
}

/** The environment without the variables of npm and Vitest. npm's warnings about user settings are not shown. */
function freshEnvironment(): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !/^npm_|^CI$|^NODE_ENV$|^VITEST/.test(name));
  return { ...Object.fromEntries(inherited), npm_config_loglevel: "error" };
}
