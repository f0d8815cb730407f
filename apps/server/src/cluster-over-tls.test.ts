import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { connected, createConnection } from "@presence/gears";
import { clusterPartitions } from "@presence/gears/testing/cluster-partitions";
import { type Certificate, makeCertificate, RedisCluster, RedisServer } from "@presence/testkit";
import { pino } from "pino";
import { expect, it, onTestFinished, type TestContext, vi } from "vitest";
import { EventStream } from "../test/event-stream.ts";

const D = 1_000;
const START_LIMIT_MS = 20_000;
const SERVER = fileURLToPath(new URL("main.ts", import.meta.url));
const TRIGGER_HOST = fileURLToPath(new URL("../../../gears/src/main.ts", import.meta.url));
const logger = pino({ level: "silent" });

/** Three primaries that accept TLS only. */
async function startCluster({ skip }: TestContext): Promise<{ cluster: RedisCluster; certificate: Certificate }> {
  const certificate = await makeCertificate().catch(() => skip("openssl is not installed"));
  onTestFinished(() => certificate.remove());
  const probe = await RedisServer.start({ certificate }).catch((error: Error) => {
    if (/bad directive/i.test(error.message)) skip("this redis-server was built without TLS");
    throw error;
  });
  await probe.stop();
  const cluster = await RedisCluster.start({ hasReplicas: false, certificate });
  onTestFinished(() => cluster.stop());
  return { cluster, certificate };
}

/** A child process, because Node.js reads NODE_EXTRA_CA_CERTS only when it starts. */
class Program {
  /** Parsed log lines. */
  readonly log: Record<string, unknown>[] = [];
  /** Everything on stderr, including warnings of Node.js. */
  errorOutput = "";

  constructor(file: string, env: Record<string, string>) {
    const child = spawn(process.execPath, ["--import", "tsx", file], {
      env: { PATH: process.env["PATH"], HEARTBEAT_INTERVAL_MS: String(D), LOG_LEVEL: "info", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    onTestFinished(() => {
      child.kill("SIGKILL");
    });
    createInterface({ input: child.stdout }).on("line", (line) => this.log.push(JSON.parse(line)));
    child.stderr.on("data", (chunk: Buffer) => {
      this.errorOutput += chunk.toString();
    });
  }

  get problems(): unknown[] {
    return [...this.log.filter(({ level }) => Number(level) >= 40), ...(this.errorOutput ? [this.errorOutput] : [])];
  }

  /** Waits for a log line with this message. */
  logged(message: string): Promise<Record<string, unknown>> {
    return vi.waitFor(
      () => {
        const line = this.log.find(({ msg }) => msg === message);
        if (!line) throw new Error(`"${message}" was not logged; ${JSON.stringify(this.problems)}`);
        return line;
      },
      { timeout: START_LIMIT_MS, interval: 50 },
    );
  }
}

it("works for servers and a trigger host that trust the cluster's certificate, and reconnects to restarted primaries", async (context) => {
  const { cluster, certificate } = await startCluster(context);
  expect(cluster.url).toMatch(/^rediss:/);
  const env = { REDIS_URL: cluster.url, REDIS_PARTITIONS: "3", NODE_EXTRA_CA_CERTS: certificate.file };
  const host = new Program(TRIGGER_HOST, env);
  const server = new Program(SERVER, {
    ...env,
    PORT: "0",
    HOST: "127.0.0.1",
    TRIGGERS: "elsewhere",
    SERVER_ID: "first",
  });
  const { port } = await server.logged("listening");
  const open = (client: string) => EventStream.open(`http://127.0.0.1:${port}/events/${client}`);

  const anouk = await open("anouk");
  await anouk.snapshot();
  for (const client of ["magali", "omar"]) {
    const stream = await open(client);
    await anouk.presence(client, "ONLINE");
    await stream.close();
    await anouk.presence(client, "OFFLINE");
  }
  expect([...host.problems, ...server.problems]).toEqual([]);

  await Promise.all(cluster.servers.map((node) => node.restart()));
  const expectRecovered = async () => {
    const response = await fetch(`http://127.0.0.1:${port}/readyz`);
    expect(response.status).toBe(200);
    const omar = await open("omar");
    expect((await omar.snapshot()).contacts).toContainEqual(expect.objectContaining({ client: "anouk" }));
    await omar.close();
  };
  await vi.waitFor(expectRecovered, { timeout: 15_000, interval: 200 });
  expect(host.errorOutput + server.errorOutput).toBe("");
}, 60_000);

it("refuses a connection to a cluster with an untrusted certificate", async (context) => {
  const { cluster } = await startCluster(context);
  const [partition] = clusterPartitions(cluster, 3);
  const redis = createConnection(cluster.url, "test", logger, partition);
  onTestFinished(() => redis.disconnect());
  await expect(connected(redis)).rejects.toThrow(/self-signed certificate/);
}, 60_000);
