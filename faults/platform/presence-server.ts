import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { open } from "node:fs/promises";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { until } from "../viewers/until.ts";

const ENTRY = fileURLToPath(new URL("../../apps/server/dist/main.js", import.meta.url));
const INSPECTION = new URL("inspection.mjs", import.meta.url).href;
const START_LIMIT_MS = 30_000;
const LOG_LEVEL_WARN = 40;

export interface PresenceServerOptions {
  redisUrl: string;
  serverId: string;
  /** `d`, in ms. */
  heartbeatIntervalMs: number;
  env?: Readonly<Record<string, string>>;
  /** For Node itself, such as `--import`. */
  nodeArgs?: readonly string[];
  /** A command that runs what follows it, such as `["ip", "netns", "exec", "first"]`. */
  within?: readonly string[];
  /** Where it is reached. */
  host?: string;
  /** A file that gets its log; nobody reads it then, and a port is chosen for it. */
  logFile?: string;
  /** Whether it can be asked what it holds on to. */
  isInspected?: boolean;
}

/** What a server holds on to when all garbage has been collected. */
export interface Holdings {
  heapBytes: number;
  sockets: number;
  timers: number;
  /** Of the process itself, to any event. */
  processListeners: number;
}

/** One line of a server's log. */
export interface LogLine {
  level: number;
  /** By the server's own wall clock, ms since the epoch. */
  time?: number;
  msg: string;
  [field: string]: unknown;
}

/** The built realtime server in a process of its own, on a port that it keeps when it is started again. */
export class PresenceServer {
  readonly serverId: string;
  readonly host: string;
  readonly #options: PresenceServerOptions;
  readonly #lines: LogLine[] = [];
  #errorOutput = "";
  #port = 0;
  #process: ChildProcess | undefined;

  private constructor(options: PresenceServerOptions) {
    this.#options = options;
    this.serverId = options.serverId;
    this.host = options.host ?? "127.0.0.1";
  }

  /** Resolves when the server listens. */
  static async start(options: PresenceServerOptions): Promise<PresenceServer> {
    const server = new PresenceServer(options);
    await server.startAgain();
    return server;
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `http://${this.host}:${this.#port}`;
  }

  get isRunning(): boolean {
    return this.#process !== undefined && this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** The process's id, for who looks at it from outside. */
  get pid(): number {
    const pid = this.#process?.pid;
    if (pid === undefined) throw new Error("The server does not run.");
    return pid;
  }

  /** Its log so far. */
  get log(): readonly LogLine[] {
    return this.#lines;
  }

  /** Lines of its log that warn, or worse, and whatever stood on its standard error. */
  get complaints(): string[] {
    const warnings = this.#lines.filter(({ level }) => level >= LOG_LEVEL_WARN).map((line) => JSON.stringify(line));
    return this.#errorOutput === "" ? warnings : [...warnings, this.#errorOutput];
  }

  /** Starts it, on the port it had. */
  async startAgain(): Promise<void> {
    const {
      redisUrl,
      serverId,
      heartbeatIntervalMs,
      env = {},
      nodeArgs = [],
      within = [],
      logFile,
      isInspected,
    } = this.#options;
    const inspection = isInspected ? ["--expose-gc", "--import", INSPECTION] : [];
    const [file = "", ...args] = [...within, process.execPath, ...inspection, ...nodeArgs, ENTRY];
    if (logFile !== undefined && this.#port === 0) this.#port = await findFreePort();
    const output = logFile === undefined ? undefined : await open(logFile, "a");
    const child = spawn(file, args, {
      stdio: ["ignore", output?.fd ?? "pipe", "pipe", ...(isInspected ? (["ipc"] as const) : [])],
      env: {
        PATH: process.env["PATH"],
        HOST: this.host,
        PORT: String(this.#port),
        REDIS_URL: redisUrl,
        SERVER_ID: serverId,
        HEARTBEAT_INTERVAL_MS: String(heartbeatIntervalMs),
        LOG_LEVEL: "info",
        ...env,
      },
    });
    this.#process = child;
    // Nothing is left behind by a run that ends before it could stop this.
    const killAtExit = () => child.kill("SIGKILL");
    process.once("exit", killAtExit);
    child.once("close", () => process.off("exit", killAtExit));
    this.#port = await this.#listeningPort(child);
    await output?.close();
  }

  /** Ends it as a crash or a power cut does: nobody is told. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /**
   * Ends it as an operator does.
   *
   * @returns how long it took, in ms
   */
  async stop(): Promise<number> {
    const startMs = performance.now();
    await this.#end("SIGTERM");
    return performance.now() - startMs;
  }

  /** Stops the process in its tracks, as when its machine goes to sleep. */
  suspend(): void {
    this.#process?.kill("SIGSTOP");
  }

  resume(): void {
    this.#process?.kill("SIGCONT");
  }

  /** The sum of a metric's values over all its labels. */
  async metric(name: string): Promise<number> {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    const lines = text.split("\n").filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
  }

  /** What it holds on to; of an inspected server. */
  async holdings(): Promise<Holdings> {
    const child = this.#process;
    if (!child?.connected) throw new Error("The server is not inspected, or does not run.");
    child.send("tell");
    const [holdings] = await once(child, "message");
    return holdings as Holdings;
  }

  /** What `/readyz` answers. */
  async readiness(): Promise<{ status: number; ready: boolean; reason?: string; warnings: string[] }> {
    const response = await fetch(`${this.url}/readyz`);
    const body = (await response.json()) as { ready: boolean; reason?: string; warnings: string[] };
    return { status: response.status, ...body };
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill(signal);
    // A suspended process takes no other signal than SIGKILL.
    child.kill("SIGCONT");
    await exited;
  }

  async #untilHealthy(): Promise<void> {
    await until("the server answers", () =>
      fetch(`${this.url}/healthz`).then(
        ({ ok }) => ok,
        () => false,
      ),
    );
  }

  #listeningPort(child: ChildProcess): Promise<number> {
    return new Promise((resolve, reject) => {
      const fail = (reason: string) => {
        clearTimeout(timer);
        child.kill("SIGKILL");
        reject(new Error(`The server ${reason}.\n${[...this.complaints].join("\n")}`));
      };
      const timer = setTimeout(() => fail(`did not listen within ${START_LIMIT_MS} ms`), START_LIMIT_MS);
      child.once("error", (error) => fail(`can't be started: ${error.message}`));
      child.once("exit", (code, signal) => fail(`ended (${code ?? signal})`));
      child.stderr?.on("data", (chunk: Buffer) => {
        this.#errorOutput += chunk.toString();
      });
      if (!child.stdout) {
        void this.#untilHealthy().then(() => {
          clearTimeout(timer);
          resolve(this.#port);
        }, fail);
        return;
      }
      createInterface({ input: child.stdout }).on("line", (text) => {
        const line = parseLogLine(text);
        this.#lines.push(line);
        if (line.msg !== "listening") return;
        clearTimeout(timer);
        resolve(Number(line["port"]));
      });
    });
  }
}

/** What is no line of a log counts as a complaint. */
function parseLogLine(text: string): LogLine {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && "level" in value && "msg" in value) return value as LogLine;
  } catch {
    // Falls through: it is no JSON.
  }
  return { level: LOG_LEVEL_WARN, msg: text };
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("a TCP server has a port");
  return address.port;
}
