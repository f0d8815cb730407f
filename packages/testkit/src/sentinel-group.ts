import type { ChildProcess } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { endChild, startChild } from "./child-process.ts";
import { findFreePort } from "./free-port.ts";
import { RedisServer } from "./redis-server.ts";
import { waitFor } from "./wait-for.ts";

const NAME = "presence";
const REPLICAS = 2;
const SENTINELS = 3;
const QUORUM = 2;
/** Silence after which a primary counts as down, in ms. */
const DOWN_AFTER_MS = 1_000;
const FAILOVER_TIMEOUT_MS = 10_000;
const STOP_LIMIT_MS = 5_000;

/** Two replicas of a primary, and three Sentinels that monitor it; real processes all. */
export class SentinelGroup {
  readonly #replicas: RedisServer[] = [];
  readonly #sentinels: Sentinel[] = [];

  private constructor() {}

  /** Resolves when each Sentinel knows both replicas and the other Sentinels. */
  static async start(primary: RedisServer): Promise<SentinelGroup> {
    const group = new SentinelGroup();
    try {
      await group.#start(primary.port);
      return group;
    } catch (error) {
      await group.stop();
      throw error;
    }
  }

  /** For `REDIS_URL`. */
  get url(): string {
    return `redis+sentinel://${this.#sentinels.map(({ port }) => `127.0.0.1:${port}`).join(",")}/${NAME}`;
  }

  /** @returns a connection that follows the primary */
  connect(): Redis {
    const redis = new Redis({
      sentinels: this.#sentinels.map(({ port }) => ({ host: "127.0.0.1", port })),
      name: NAME,
      failoverDetector: true,
    });
    redis.on("error", () => {});
    return redis;
  }

  /** The port of the primary; `undefined` while the Sentinels do not agree. */
  async primaryPort(): Promise<number | undefined> {
    const [first, ...others] = await Promise.all(this.#sentinels.map(readState));
    return others.every(({ primaryPort }) => primaryPort === first?.primaryPort) ? first?.primaryPort : undefined;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#sentinels.map(({ process }) => endChild(process, "SIGKILL", STOP_LIMIT_MS)));
    await Promise.all(this.#sentinels.map(({ folder }) => rm(folder, { recursive: true, force: true })));
    await Promise.all(this.#replicas.map((replica) => replica.stop()));
  }

  async #start(primaryPort: number): Promise<void> {
    const replication = ["--replicaof", "127.0.0.1", String(primaryPort)];
    for (let index = 0; index < REPLICAS; index += 1) {
      this.#replicas.push(await RedisServer.start({ args: replication }));
    }
    for (let index = 0; index < SENTINELS; index += 1) this.#sentinels.push(await startSentinel(primaryPort));
    await waitFor("the Sentinels know each other and the replicas", async () => {
      const states = await Promise.all(this.#sentinels.map(readState));
      return states.every(({ replicas, sentinels }) => replicas === REPLICAS && sentinels === SENTINELS - 1);
    });
  }
}

interface Sentinel {
  port: number;
  folder: string;
  process: ChildProcess;
}

/** What one Sentinel knows of the group. */
interface SentinelState {
  primaryPort: number;
  replicas: number;
  /** Not counting itself. */
  sentinels: number;
}

async function readState({ port }: Sentinel): Promise<SentinelState> {
  const sentinel = new Redis(port);
  sentinel.on("error", () => {});
  try {
    const reply = (await sentinel.call("SENTINEL", "MASTER", NAME)) as string[];
    const field = (name: string) => Number(reply[reply.indexOf(name) + 1]);
    return { primaryPort: field("port"), replicas: field("num-slaves"), sentinels: field("num-other-sentinels") };
  } finally {
    sentinel.disconnect();
  }
}

async function startSentinel(primaryPort: number): Promise<Sentinel> {
  const folder = await mkdtemp(join(tmpdir(), "presence-sentinel-"));
  const port = await findFreePort();
  const settings = join(folder, "sentinel.conf");
  const lines = [
    `port ${port}`,
    "bind 127.0.0.1",
    `dir ${folder}`,
    `sentinel monitor ${NAME} 127.0.0.1 ${primaryPort} ${QUORUM}`,
    `sentinel down-after-milliseconds ${NAME} ${DOWN_AFTER_MS}`,
    `sentinel failover-timeout ${NAME} ${FAILOVER_TIMEOUT_MS}`,
    `sentinel parallel-syncs ${NAME} ${REPLICAS}`,
  ];
  await writeFile(settings, lines.join("\n"));
  const file = process.env["REDIS_SERVER_PATH"] || "redis-server";
  return { port, folder, process: startChild(file, [settings, "--sentinel"], { stdio: "ignore" }) };
}
