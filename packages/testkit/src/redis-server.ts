import type { ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { type Certificate, tlsArgs } from "./certificate.ts";
import { endChild, isRunning, startChild } from "./child-process.ts";
import { findFreePort } from "./free-port.ts";
import { runRedisCli } from "./redis-cli.ts";

const START_LIMIT_MS = 20_000;
const STOP_LIMIT_MS = 5_000;
const START_ATTEMPTS = 5;

export interface RedisServerOptions {
  /** Whether data survives a restart: an append-only file, synced at each write. */
  isPersistent?: boolean;
  /** Makes it speak TLS only. */
  certificate?: Certificate;
  /** Whether it is a node of a cluster, with a bus port of its own. */
  isClusterNode?: boolean;
  /** Further arguments of `redis-server`, for example `["--maxmemory", "10mb"]`. */
  args?: readonly string[];
}

/** A real `redis-server` on a free port of 127.0.0.1, in a temporary folder, otherwise with Redis's default settings. */
export class RedisServer {
  readonly port: number;
  /** Of the cluster bus; 0 if it is no cluster node. */
  readonly busPort: number;
  readonly #options: RedisServerOptions;
  #folder: string;
  #process: ChildProcess | undefined;

  private constructor(port: number, busPort: number, folder: string, options: RedisServerOptions) {
    this.port = port;
    this.busPort = busPort;
    this.#folder = folder;
    this.#options = options;
  }

  /**
   * Resolves with a server that accepts connections.
   *
   * @throws if `redis-server` is not installed, or does not start
   */
  static async start(options: RedisServerOptions = {}): Promise<RedisServer> {
    for (let attempt = 1; ; attempt += 1) {
      const busPort = options.isClusterNode ? await findFreePort() : 0;
      const server = new RedisServer(await findFreePort(), busPort, await makeFolder(), options);
      try {
        await server.#launch();
        return server;
      } catch (error) {
        await server.stop();
        // Another process may have taken a port in the meantime.
        const isTaken = error instanceof Error && /address already in use/i.test(error.message);
        if (!isTaken || attempt === START_ATTEMPTS) throw error;
      }
    }
  }

  get url(): string {
    return `${this.#options.certificate ? "rediss" : "redis"}://127.0.0.1:${this.port}`;
  }

  get isRunning(): boolean {
    return this.#process !== undefined && isRunning(this.#process);
  }

  /** @returns a connection, not yet opened, that reconnects automatically */
  connect(): Redis {
    const { certificate } = this.#options;
    return new Redis(this.url, { lazyConnect: true, ...(certificate && { tls: { ca: certificate.text } }) });
  }

  /** Runs a command with `redis-cli`, and returns what it prints. */
  cli(...command: string[]): Promise<string> {
    return runRedisCli(this.port, command);
  }

  /** Suspends the process: it keeps its connections and answers nothing. */
  pause(): void {
    this.#process?.kill("SIGSTOP");
  }

  resume(): void {
    this.#process?.kill("SIGCONT");
  }

  /** Ends it with SIGKILL, as a crash does. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** Kills it if it runs, and starts it on the same port with what it has persisted. */
  async restart(): Promise<void> {
    await this.kill();
    await this.#launch();
  }

  /** Kills it if it runs, and starts it on the same port without data. */
  async restartEmpty(): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
    this.#folder = await makeFolder();
    await this.#launch();
  }

  /** Ends it and removes its folder. */
  async stop(): Promise<void> {
    await this.#end("SIGTERM");
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #launch(): Promise<void> {
    const { isPersistent = false, certificate, isClusterNode = false, args = [] } = this.#options;
    const child = startChild(
      process.env["REDIS_SERVER_PATH"] || "redis-server",
      [
        ...["--bind", "127.0.0.1", "--dir", this.#folder, "--save", ""],
        ...(certificate ? tlsArgs(certificate, this.port) : ["--port", String(this.port)]),
        ...(isPersistent ? ["--appendonly", "yes", "--appendfsync", "always"] : ["--appendonly", "no"]),
        ...(isClusterNode ? ["--cluster-enabled", "yes", "--cluster-port", String(this.busPort)] : []),
        ...args,
      ],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    this.#process = child;
    await waitUntilReady(child);
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child) await endChild(child, signal, STOP_LIMIT_MS);
  }
}

async function waitUntilReady(child: ChildProcess): Promise<void> {
  let output = "";
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => fail(`is not ready after ${START_LIMIT_MS} ms`), START_LIMIT_MS);
    function fail(problem: string): void {
      clearTimeout(timer);
      reject(new Error(`redis-server ${problem}\n${output}`));
    }
    function read(chunk: Buffer): void {
      output += chunk.toString();
      if (!/ready to accept connections/i.test(output)) return;
      clearTimeout(timer);
      resolve();
    }
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
    child.once("error", (error: NodeJS.ErrnoException) =>
      fail(
        error.code === "ENOENT"
          ? "is not installed: get it from your system's packages (on Debian: apt-get install redis-server)"
          : `can't be started: ${error.message}`,
      ),
    );
    child.once("close", () => fail("exited while starting"));
  });
}

function makeFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), "presence-redis-"));
}
