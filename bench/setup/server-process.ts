import { fileURLToPath } from "node:url";
import { ServerProcess } from "@presence/testkit";
import { build } from "esbuild";
import { onScopeEnd } from "./scope.ts";
import type { UsageAnswers } from "./usage-reporter.ts";

/** A server that writes `"port":…` on a line of its output when it listens. */
export interface Program {
  name: string;
  /** The file to run. */
  file: string;
  args?: readonly string[];
  env?: Readonly<Record<string, string>>;
}

/** A server that reports what it uses. */
export interface MeasuredServer {
  process: ServerProcess;
  port: number;
  /** Processor time of all threads so far, ms. */
  cpuMs(): Promise<number>;
  ask<Request extends keyof UsageAnswers>(request: Request): Promise<ReturnType<UsageAnswers[Request]>>;
}

const OUTPUT_FOLDER = fileURLToPath(new URL("../dist/", import.meta.url));
/** The load exceeds the default limits of our server: all tabs of one client, all connections within a second. */
const NO_LIMITS = { MAX_CONNECTIONS_PER_CLIENT: "1000000", MAX_NEW_CONNECTIONS_PER_SECOND: "100000" };

const nodeArgs = ["--expose-gc", "--import", `${OUTPUT_FOLDER}setup/usage-reporter.js`];

/** Has each server write a processor profile. */
export function profileServers(): void {
  nodeArgs.push("--cpu-prof", "--cpu-prof-dir=bench/dist/profiles");
}

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

/** Starts a server, which is stopped with the scope. */
export async function startServer({ env = {}, ...program }: Program): Promise<MeasuredServer> {
  const process = await ServerProcess.launch({
    ...program,
    host: "127.0.0.1",
    hasIpc: true,
    nodeArgs,
    env: { NODE_ENV: "production", LOG_LEVEL: "info", ...NO_LIMITS, ...env },
  });
  onScopeEnd(() => process.stop());
  const ask: MeasuredServer["ask"] = (request) => process.ask(request);
  return { process, port: process.port, ask, cpuMs: async () => (await ask("processor")).cpuMs };
}
