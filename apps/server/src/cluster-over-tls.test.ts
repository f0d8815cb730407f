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

/** Three primaries that speak nothing but TLS. */
async function startCluster({ skip }: TestContext): Promise<{ cluster: RedisCluster; certificate: Certificate }> {
  const certificate = await makeCertificate().catch(() => skip("there is no openssl here"));
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

/** A program of its own, as whom to trust is told to Node when it starts. */
class Program {
  /** Lines of its log. */
  readonly log: Record<string, unknown>[] = [];
  /** What is no log: warnings of Node's as well. */
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

  get complaints(): unknown[] {
    return [...this.log.filter(({ level }) => Number(level) >= 40), ...(this.errorOutput ? [this.errorOutput] : [])];
  }

  /** What a line with this message says, once there is one. */
  said(message: string): Promise<Record<string, unknown>> {
    return vi.waitFor(
      () => {
        const line = this.log.find(({ msg }) => msg === message);
        if (!line) throw new Error(`"${message}" was not said; ${JSON.stringify(this.complaints)}`);
        return line;
      },
      { timeout: START_LIMIT_MS, interval: 50 },
    );
  }
}

it("serves servers and a trigger host that trust a cluster's certificate, and finds lost primaries again", async (context) => {
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
  const { port } = await server.said("listening");
  const open = (client: string) => EventStream.open(`http://127.0.0.1:${port}/events/${client}`);

  const anouk = await open("anouk");
  await anouk.snapshot();
  for (const client of ["magali", "omar"]) {
    const stream = await open(client);
    await anouk.presence(client, "ONLINE");
    await stream.close();
    await anouk.presence(client, "OFFLINE");
  }
  expect([...host.complaints, ...server.complaints]).toEqual([]);

  await Promise.all(cluster.servers.map((node) => node.restart()));
  const isBack = async () => {
    const response = await fetch(`http://127.0.0.1:${port}/readyz`);
    expect(response.status).toBe(200);
    const omar = await open("omar");
    expect((await omar.snapshot()).contacts).toContainEqual(expect.objectContaining({ client: "anouk" }));
    await omar.close();
  };
  await vi.waitFor(isBack, { timeout: 15_000, interval: 200 });
  expect(host.errorOutput + server.errorOutput).toBe("");
}, 60_000);

it("is refused by those who don't trust its certificate", async (context) => {
  const { cluster } = await startCluster(context);
  const [partition] = clusterPartitions(cluster, 3);
  const redis = createConnection(cluster.url, "test", logger, partition);
  onTestFinished(() => redis.disconnect());
  await expect(connected(redis)).rejects.toThrow(/self-signed certificate/);
}, 60_000);
