import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { onScopeEnd } from "./scope.ts";
import type { LoopDelay, MemoryUsage, ProcessorUsage, UsageRequest } from "./usage-reporter.ts";

/** A server that writes `"port":…` on a line of its output when it listens. */
export interface Program {
  name: string;
  /** The file to run. */
  file: string;
  args?: readonly string[];
  env?: Readonly<Record<string, string>>;
}

export interface ServerProcess {
  port: number;
  /** Processor time of all threads so far, ms. */
  cpuMs(): Promise<number>;
  memoryUsage(): Promise<MemoryUsage>;
  /** Starts to measure `loopDelay`. */
  watchLoop(): Promise<void>;
  loopDelay(): Promise<LoopDelay>;
  stop(): Promise<void>;
  /** Sends SIGKILL. */
  kill(): Promise<void>;
}

const OUTPUT_FOLDER = fileURLToPath(new URL("../dist/", import.meta.url));
const USAGE_REPORTER = `${OUTPUT_FOLDER}setup/usage-reporter.js`;
/** The load exceeds the default limits of our server: all tabs of one client, all connections within a second. */
const NO_LIMITS = { MAX_CONNECTIONS_PER_CLIENT: "1000000", MAX_NEW_CONNECTIONS_PER_SECOND: "100000" };

/** The file that `buildPrograms` makes of a peer. */
export function peerFile(name: string): string {
  return `${OUTPUT_FOLDER}peers/${name}.js`;
}

/** Builds the peers as plain JavaScript, so that they run without a loader, as our server does. */
export async function buildPrograms(): Promise<void> {
  const peers = ["bare-bridge", "bare-http", "better-sse", "socket-io"];
  await build({
    absWorkingDir: fileURLToPath(new URL("..", import.meta.url)),
    entryPoints: ["setup/usage-reporter.ts", ...peers.map((name) => `peers/${name}.ts`)],
    outdir: OUTPUT_FOLDER,
    outbase: ".",
    bundle: true,
    platform: "node",
    target: "node20.19",
    format: "esm",
    packages: "external",
    logLevel: "warning",
  });
}

/**
 * Starts a server, which is stopped with the scope.
 *
 * @param nodeArgs arguments for Node, such as `--cpu-prof`
 */
export async function startServerProcess(
  { name, file, args = [], env = {} }: Program,
  nodeArgs: readonly string[],
): Promise<ServerProcess> {
  const child = spawn(process.execPath, ["--expose-gc", "--import", USAGE_REPORTER, ...nodeArgs, file, ...args], {
    env: {
      ...process.env,
      NODE_ENV: "production",
      HOST: "127.0.0.1",
      PORT: "0",
      LOG_LEVEL: "info",
      ...NO_LIMITS,
      ...env,
    },
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  });
  const end = async (signal: "SIGTERM" | "SIGKILL") => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill(signal);
    await exited;
  };
  const stop = onScopeEnd(() => end("SIGTERM"));
  const port = await Promise.race([portOf(child), failure(child, name)]);
  return {
    port,
    cpuMs: async () => (await ask<ProcessorUsage>(child, "processor")).cpuMs,
    memoryUsage: () => ask<MemoryUsage>(child, "memory"),
    watchLoop: async () => void (await ask<LoopDelay>(child, "watch-loop")),
    loopDelay: () => ask<LoopDelay>(child, "loop-delay"),
    stop,
    kill: () => end("SIGKILL"),
  };
}

async function ask<Answer>(child: ChildProcess, request: UsageRequest): Promise<Answer> {
  child.send(request);
  const [answer] = await once(child, "message");
  return answer as Answer;
}

async function portOf({ stdout }: ChildProcess): Promise<number> {
  if (!stdout) throw new Error("The server has no output.");
  for await (const line of createInterface({ input: stdout })) {
    const [, port] = /"port":(\d+)/.exec(line) ?? [];
    if (port === undefined) continue;
    stdout.resume();
    return Number(port);
  }
  return new Promise(() => {});
}

async function failure(child: ChildProcess, name: string): Promise<never> {
  const [code, signal] = await once(child, "exit");
  throw new Error(`${name} did not start (${code ?? signal}).`);
}
