import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type ClientRequest, get } from "node:http";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const ENTRY = fileURLToPath(new URL("../apps/server/dist/main.js", import.meta.url));

/** The built server in a separate process, and clients that connect to it without a browser. */
export class RunningApp {
  readonly url: string;
  readonly #process: ChildProcess;
  readonly #visits = new Map<string, ClientRequest>();

  private constructor(url: string, child: ChildProcess) {
    this.url = url;
    this.#process = child;
  }

  /** @param heartbeatIntervalMs `d`: shorter than the default, so that an animation has no long pauses */
  static async start(heartbeatIntervalMs: number): Promise<RunningApp> {
    const child = spawn(process.execPath, [ENTRY], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, PORT: "0", HEARTBEAT_INTERVAL_MS: String(heartbeatIntervalMs), LOG_LEVEL: "info" },
    });
    for await (const line of createInterface({ input: child.stdout })) {
      const entry: { msg?: string; port?: number } = JSON.parse(line);
      if (entry.msg === "listening") return new RunningApp(`http://localhost:${entry.port}`, child);
    }
    throw new Error("The server exited before it listened.");
  }

  /** Opens a stream of the client, which comes online. */
  async connect(client: string): Promise<void> {
    const visit = get(`${this.url}/events/${client}`);
    this.#visits.set(client, visit);
    const [response] = await once(visit, "response");
    response.resume();
    response.on("error", () => {});
  }

  /** Closes the stream of the client, which goes offline when its lease expires. */
  disconnect(client: string): void {
    this.#visits.get(client)?.destroy();
    this.#visits.delete(client);
  }

  async stop(): Promise<void> {
    for (const client of this.#visits.keys()) this.disconnect(client);
    const exited = once(this.#process, "exit");
    this.#process.kill();
    await exited;
  }
}
