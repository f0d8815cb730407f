import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import type { Platform } from "./platform.ts";

const ENTRY = fileURLToPath(new URL("../../gears/dist/host.js", import.meta.url));

/** The built trigger host in a process of its own; it ends with its test at the latest. */
export class TriggerHost {
  readonly #process: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#process = child;
  }

  /** Resolves when it has begun; it may take it some ms more to have found Redis. */
  static async start({ redis, heartbeatIntervalMs }: Platform): Promise<TriggerHost> {
    const child = spawn(process.execPath, [ENTRY], {
      stdio: ["ignore", "pipe", "inherit"],
      env: {
        PATH: process.env["PATH"],
        REDIS_URL: redis.url,
        HEARTBEAT_INTERVAL_MS: String(heartbeatIntervalMs),
        LOG_LEVEL: "info",
      },
    });
    const host = new TriggerHost(child);
    onTestFinished(() => host.kill());
    if (!child.stdout) throw new Error("The host's output is not piped.");
    await once(createInterface({ input: child.stdout }), "line");
    return host;
  }

  /** Ends it as a crash does. */
  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await exited;
  }
}
