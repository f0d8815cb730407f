import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { noteStarted } from "./left-behind.ts";
import type { LoopDelay, MemoryUsage, ProcessorUsage, UsageRequest } from "./probe.ts";

/** A program that serves SSE and says `"port":…` on a line of its output when it listens. */
export interface Contestant {
  name: string;
  /** The file to run. */
  program: string;
  args?: readonly string[];
  env?: Readonly<Record<string, string>>;
}

export interface ServerProcess {
  port: number;
  processorUsage(): Promise<ProcessorUsage>;
  memoryUsage(): Promise<MemoryUsage>;
  /** From now on `loopDelay` counts. */
  watchLoop(): Promise<void>;
  loopDelay(): Promise<LoopDelay>;
  stop(): Promise<void>;
  /** Without a word of warning. */
  kill(): Promise<void>;
}

const OUTPUT_FOLDER = fileURLToPath(new URL("dist/", import.meta.url));
/** What ours would refuse by default: a crowd of one person's tabs, and one that arrives in a second. */
const NO_LIMITS = { MAX_CONNECTIONS_PER_CLIENT: "1000000", MAX_NEW_CONNECTIONS_PER_SECOND: "100000" };
const PROBE = `${OUTPUT_FOLDER}probe.js`;

/** Where `buildPrograms` puts the peer of that name. */
export function peerProgram(name: string): string {
  return `${OUTPUT_FOLDER}peers/${name}.js`;
}

/** The peers run as ours does: as plain JavaScript, without a loader in the process. */
export async function buildPrograms(): Promise<void> {
  await build({
    absWorkingDir: fileURLToPath(new URL(".", import.meta.url)),
    entryPoints: [
      "probe.ts",
      "peers/bare-bridge.ts",
      "peers/bare-http.ts",
      "peers/better-sse.ts",
      "peers/socket-io.ts",
    ],
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

/** @param nodeArgs for Node itself, such as `--cpu-prof` */
export async function startServerProcess(
  { name, program, args = [], env = {} }: Contestant,
  nodeArgs: readonly string[],
): Promise<ServerProcess> {
  const child = spawn(process.execPath, ["--expose-gc", "--import", PROBE, ...nodeArgs, program, ...args], {
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
  const port = await Promise.race([portOf(child), failure(child, name)]);
  const end = async (signal: "SIGTERM" | "SIGKILL") => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill(signal);
    await exited;
  };
  return {
    port,
    processorUsage: () => ask<ProcessorUsage>(child, "processor"),
    memoryUsage: () => ask<MemoryUsage>(child, "memory"),
    watchLoop: async () => void (await ask<LoopDelay>(child, "watch-loop")),
    loopDelay: () => ask<LoopDelay>(child, "loop-delay"),
    stop: noteStarted(() => end("SIGTERM")),
    kill: () => end("SIGKILL"),
  };
}

async function ask<Answer>(child: ChildProcess, request: UsageRequest): Promise<Answer> {
  child.send(request);
  const [answer] = await once(child, "message");
  return answer as Answer;
}

async function portOf({ stdout }: ChildProcess): Promise<number> {
  if (!stdout) throw new Error("The server's output can't be read.");
  const lines = createInterface({ input: stdout });
  for await (const line of lines) {
    const [, port] = /"port":(\d+)/.exec(line) ?? [];
    if (port !== undefined) {
      stdout.resume();
      return Number(port);
    }
  }
  return new Promise(() => {});
}

async function failure(child: ChildProcess, name: string): Promise<never> {
  const [code, signal] = await once(child, "exit");
  throw new Error(`${name} did not start (${code ?? signal}).`);
}
