import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { open } from "node:fs/promises";
import { createInterface } from "node:readline";
import { endChild, isRunning, startChild } from "./child-process.ts";

const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 30_000;
const LEVEL_WARN = 40;

export interface NodeProgramOptions {
  /** For error messages. */
  name: string;
  /** The JavaScript file to run. */
  file: string;
  args?: readonly string[];
  /** Added to `PATH`, which is all that the program inherits. */
  env?: Readonly<Record<string, string>>;
  /** Options of Node itself, such as `--import`. */
  nodeArgs?: readonly string[];
  /** A command that runs the program, such as `["ip", "netns", "exec", "first"]`. */
  wrapper?: readonly string[];
  /** A file that receives the log instead of `log`. */
  logFile?: string;
  /** Whether the program answers IPC messages, see `ask`. */
  hasIpc?: boolean;
}

/** One line of a program's log. */
export interface LogLine {
  /** Pino's: 30 is info, 40 is warn. */
  level: number;
  /** By the program's wall clock, ms since the epoch. */
  time?: number;
  msg: string;
  [field: string]: unknown;
}

/** A Node program in a process of its own that writes its log as JSON lines. It is killed when this process exits. */
export class NodeProgram {
  readonly #options: NodeProgramOptions;
  readonly #log: LogLine[] = [];
  readonly #errorLines: string[] = [];
  readonly #onLine = new Set<(line: LogLine) => void>();
  #process: ChildProcess | undefined;

  constructor(options: NodeProgramOptions) {
    this.#options = options;
  }

  get isRunning(): boolean {
    return this.#process !== undefined && isRunning(this.#process);
  }

  /** @throws if it is not running */
  get pid(): number {
    const pid = this.#process?.pid;
    if (pid === undefined) throw new Error(`The ${this.#options.name} is not running.`);
    return pid;
  }

  /** The log so far, of all runs. */
  get log(): readonly LogLine[] {
    return this.#log;
  }

  /** Log lines of level warn or above, all of standard error, and unexpected exits. */
  get warnings(): string[] {
    const warnings = this.#log.filter(({ level }) => level >= LEVEL_WARN).map((line) => JSON.stringify(line));
    return [...warnings, ...this.#errorLines];
  }

  /** Ends it with SIGKILL, as a crash does. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /**
   * Ends it in good order.
   *
   * @returns how long it took, in ms
   */
  async stop(signal: "SIGINT" | "SIGTERM" = "SIGTERM"): Promise<number> {
    const startMs = performance.now();
    await this.#end(signal);
    return performance.now() - startMs;
  }

  /** Suspends the process, as when its machine goes to sleep. */
  suspend(): void {
    this.#process?.kill("SIGSTOP");
  }

  resume(): void {
    this.#process?.kill("SIGCONT");
  }

  /** Sends an IPC message and resolves with the next one that comes back. */
  async ask<Answer>(message: string): Promise<Answer> {
    const child = this.#process;
    if (!child?.connected) throw new Error(`The ${this.#options.name} has no IPC channel.`);
    child.send(message);
    const [answer] = await once(child, "message");
    return answer as Answer;
  }

  /**
   * Starts the process.
   *
   * @param env added to that of the options
   * @param isReady resolves when the program is usable
   * @throws if the process exits first, or after 60 s; it does not run then
   */
  protected async startProcess<Ready>(
    env: Readonly<Record<string, string>>,
    isReady: () => Promise<Ready>,
  ): Promise<Ready> {
    const { name, file, args = [], nodeArgs = [], wrapper = [], logFile, hasIpc = false } = this.#options;
    const [command = "", ...rest] = [...wrapper, process.execPath, ...nodeArgs, file, ...args];
    const output = logFile === undefined ? undefined : await open(logFile, "a");
    const child = startChild(command, rest, {
      stdio: ["ignore", output?.fd ?? "pipe", "pipe", ...(hasIpc ? (["ipc"] as const) : [])],
      env: { PATH: process.env["PATH"], ...env, ...this.#options.env },
    });
    this.#process = child;
    this.#readOutput(child);
    const failed = new Promise<never>((_, reject) => {
      const timer = setTimeout(() => reject(new Error(`not ready within ${START_LIMIT_MS} ms`)), START_LIMIT_MS);
      timer.unref();
      child.once("error", reject);
      child.once("exit", (code, signal) => reject(new Error(`exited (${code ?? signal})`)));
    });
    failed.catch(() => {});
    try {
      return await Promise.race([isReady(), failed]);
    } catch (error) {
      await this.kill();
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`The ${name} did not start: ${reason}.\n${this.warnings.join("\n")}`);
    } finally {
      await output?.close();
    }
  }

  /** The next log line that matches. */
  protected nextLine(matches: (line: LogLine) => boolean): Promise<LogLine> {
    return new Promise((resolve) => {
      const look = (line: LogLine) => {
        if (!matches(line)) return;
        this.#onLine.delete(look);
        resolve(line);
      };
      this.#onLine.add(look);
    });
  }

  #readOutput(child: ChildProcess): void {
    child.once("exit", (code, signal) => {
      if (this.#process === child) this.#errorLines.push(`The ${this.#options.name} exited (${code ?? signal}).`);
    });
    if (child.stderr) createInterface({ input: child.stderr }).on("line", (line) => this.#errorLines.push(line));
    if (!child.stdout) return;
    createInterface({ input: child.stdout }).on("line", (text) => {
      const line = parseLogLine(text);
      this.#log.push(line);
      for (const look of this.#onLine) look(line);
    });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child) await endChild(child, signal, STOP_LIMIT_MS);
  }
}

/** A line that is no JSON object counts as a warning. */
function parseLogLine(text: string): LogLine {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return { level: 0, msg: "", ...value };
  } catch {
    // Not JSON.
  }
  return { level: LEVEL_WARN, msg: text };
}
