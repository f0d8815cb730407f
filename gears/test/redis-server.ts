import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { type Certificate, tlsArgs } from "./certificate.ts";

const START_LIMIT_MS = 20_000;
const STOP_LIMIT_MS = 5_000;
const PORTS_TRIED = 5;

export interface RedisServerOptions {
  /** Whether what was written survives a restart: an append-only file, synced at each write. */
  isPersistent?: boolean;
  /** Whether it speaks TLS, and nothing else, and with which certificate. */
  certificate?: Certificate;
  /** Further arguments of `redis-server`, say `["--maxmemory", "10mb"]`. */
  args?: readonly string[];
}

/** A real `redis-server` of one's own, on loopback, in a temporary folder. Beyond port and folder, its settings are Redis's. */
export class RedisServer {
  readonly port: number;
  readonly #options: RedisServerOptions;
  #folder: string;
  #process: ChildProcess | undefined;

  private constructor(port: number, folder: string, options: RedisServerOptions) {
    this.port = port;
    this.#folder = folder;
    this.#options = options;
  }

  /** @throws where there is no `redis-server`, or it doesn't start */
  static async start(options: RedisServerOptions = {}): Promise<RedisServer> {
    for (let attempt = 1; ; attempt += 1) {
      const server = new RedisServer(await findFreePort(), await makeFolder(), options);
      try {
        await server.#launch();
        return server;
      } catch (error) {
        await server.stop();
        // Somebody else may have taken the port since it was found free.
        const isTaken = error instanceof Error && /address already in use/i.test(error.message);
        if (!isTaken || attempt === PORTS_TRIED) throw error;
      }
    }
  }

  get url(): string {
    return `${this.#options.certificate ? "rediss" : "redis"}://127.0.0.1:${this.port}`;
  }

  /** A connection to it, which comes back by itself. */
  connect(): Redis {
    const { certificate } = this.#options;
    return new Redis(this.url, { lazyConnect: true, ...(certificate && { tls: { ca: certificate.text } }) });
  }

  /** It answers nobody from now on, and keeps its connections: as one that hangs. */
  pause(): void {
    this.#process?.kill("SIGSTOP");
  }

  resume(): void {
    this.#process?.kill("SIGCONT");
  }

  /** Ends it at once, without a farewell. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** Starts it again on the same port, with what it has persisted. */
  async restart(): Promise<void> {
    await this.#end("SIGKILL");
    await this.#launch();
  }

  /** Starts it again on the same port, with nothing in it. */
  async restartEmpty(): Promise<void> {
    await this.#end("SIGKILL");
    await rm(this.#folder, { recursive: true, force: true });
    this.#folder = await makeFolder();
    await this.#launch();
  }

  /** Ends it, and takes its folder away. */
  async stop(): Promise<void> {
    await this.#end("SIGTERM");
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #launch(): Promise<void> {
    const { isPersistent = false, certificate, args = [] } = this.#options;
    const persistence = isPersistent ? ["--appendonly", "yes", "--appendfsync", "always"] : ["--appendonly", "no"];
    const listening = certificate ? tlsArgs(certificate, this.port) : ["--port", String(this.port)];
    const ownArgs = ["--bind", "127.0.0.1", ...listening, "--dir", this.#folder, "--save", ""];
    const child = spawn(process.env["REDIS_SERVER_PATH"] || "redis-server", [...ownArgs, ...persistence, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#process = child;
    // Nothing is left behind by a program that ends before it could stop this.
    const killAtExit = () => child.kill("SIGKILL");
    process.once("exit", killAtExit);
    child.once("close", () => process.off("exit", killAtExit));
    await untilReady(child);
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (!child || child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const closed = once(child, "close");
    child.kill(signal);
    // A paused process takes no other signal than SIGKILL.
    child.kill("SIGCONT");
    const impatience = setTimeout(() => child.kill("SIGKILL"), STOP_LIMIT_MS);
    await closed;
    clearTimeout(impatience);
  }
}

async function untilReady(child: ChildProcess): Promise<void> {
  let output = "";
  await new Promise<void>((resolve, reject) => {
    const impatience = setTimeout(() => fail("is not ready in time"), START_LIMIT_MS);
    function fail(problem: string): void {
      clearTimeout(impatience);
      reject(new Error(`redis-server ${problem}\n${output}`));
    }
    function read(chunk: Buffer): void {
      output += chunk.toString();
      if (!/ready to accept connections/i.test(output)) return;
      clearTimeout(impatience);
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
    child.once("close", () => fail("ended while starting"));
  });
}

function makeFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), "presence-redis-"));
}

/** A port of loopback that nobody listens on. */
export async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("a TCP server has a port");
  return address.port;
}
