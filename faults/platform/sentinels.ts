import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RedisServer } from "@presence/gears/testing";
import { Redis } from "ioredis";
import { onTestFinished } from "vitest";
import { until } from "../viewers/until.ts";

const NAME = "presence";
const REPLICAS = 2;
const SENTINELS = 3;
/** For how long a primary may be silent, in ms. */
const DOWN_AFTER_MS = 1_000;

/** A primary, two replicas, and three Sentinels who watch them; real processes all, which end with the test. */
export class SentinelGroup {
  /** Of the whole group, for `REDIS_URL`. */
  readonly url: string;
  readonly #ports: readonly number[];

  private constructor(ports: readonly number[]) {
    this.#ports = ports;
    this.url = `redis+sentinel://${ports.map((port) => `127.0.0.1:${port}`).join(",")}/${NAME}`;
  }

  /** Resolves when each Sentinel knows of both replicas and of the other Sentinels. */
  static async start(primary: RedisServer): Promise<SentinelGroup> {
    for (let index = 0; index < REPLICAS; index += 1) {
      const replica = await RedisServer.start({ args: ["--replicaof", "127.0.0.1", String(primary.port)] });
      onTestFinished(() => replica.stop());
    }
    const ports: number[] = [];
    for (let index = 0; index < SENTINELS; index += 1) ports.push(await startSentinel(primary.port));
    const group = new SentinelGroup(ports);
    await until("the Sentinels know all", async () => {
      const states = await Promise.all(ports.map(readState));
      return states.every((state) => state.replicas === REPLICAS && state.others === SENTINELS - 1);
    });
    return group;
  }

  /** A client that follows the primary. */
  connect(): Redis {
    const redis = new Redis({
      sentinels: this.#ports.map((port) => ({ host: "127.0.0.1", port })),
      name: NAME,
      failoverDetector: true,
    });
    redis.on("error", () => {});
    return redis;
  }

  /** The port of what the Sentinels take for the primary; `undefined` where they don't agree. */
  async primaryPort(): Promise<number | undefined> {
    const [first, ...others] = await Promise.all(this.#ports.map(readState));
    return others.every(({ primaryPort }) => primaryPort === first?.primaryPort) ? first?.primaryPort : undefined;
  }
}

interface SentinelState {
  primaryPort: number;
  replicas: number;
  others: number;
}

async function readState(port: number): Promise<SentinelState> {
  const sentinel = new Redis(port);
  try {
    const reply = (await sentinel.call("SENTINEL", "MASTER", NAME)) as string[];
    const field = (name: string) => Number(reply[reply.indexOf(name) + 1]);
    return { primaryPort: field("port"), replicas: field("num-slaves"), others: field("num-other-sentinels") };
  } finally {
    sentinel.disconnect();
  }
}

/** @returns its port */
async function startSentinel(primaryPort: number): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "presence-sentinel-"));
  const port = await findFreePort();
  const settings = join(folder, "sentinel.conf");
  await writeFile(
    settings,
    [
      `port ${port}`,
      "bind 127.0.0.1",
      `dir ${folder}`,
      `sentinel monitor ${NAME} 127.0.0.1 ${primaryPort} 2`,
      `sentinel down-after-milliseconds ${NAME} ${DOWN_AFTER_MS}`,
      `sentinel failover-timeout ${NAME} 10000`,
      `sentinel parallel-syncs ${NAME} ${REPLICAS}`,
    ].join("\n"),
  );
  const child = spawn(process.env["REDIS_SERVER_PATH"] || "redis-server", [settings, "--sentinel"], {
    stdio: "ignore",
  });
  const killAtExit = () => child.kill("SIGKILL");
  process.once("exit", killAtExit);
  onTestFinished(async () => {
    process.off("exit", killAtExit);
    await end(child);
    await rm(folder, { recursive: true, force: true });
  });
  return port;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
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
