import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import * as freePort from "./free-port.ts";
import { RedisCluster } from "./redis-cluster.ts";
import { RedisServer } from "./redis-server.ts";

vi.mock(import("./free-port.ts"), { spy: true });

beforeEach(() => {
  vi.restoreAllMocks();
});

/** @returns the port of a server that another process could have started */
async function takePort(): Promise<number> {
  const server: Server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
  });
  const address = server.address();
  return typeof address === "object" && address ? address.port : 0;
}

test("retries a node whose bus port is taken", async () => {
  vi.mocked(freePort.findFreePort).mockResolvedValueOnce(await takePort());
  const cluster = await RedisCluster.start({ primaries: 1, hasReplicas: false });
  onTestFinished(() => cluster.stop());
  expect(freePort.findFreePort, "two ports for each of two attempts").toHaveBeenCalledTimes(4);
  expect(await cluster.primaryOf(0)).toBe(cluster.servers[0]);
});

test("stops the nodes that started when another one does not start", async () => {
  const start = RedisServer.start;
  const started: RedisServer[] = [];
  vi.spyOn(RedisServer, "start").mockImplementation(async (options) => {
    const server = await start.call(RedisServer, options);
    if (started.length === 2) {
      await server.stop();
      throw new Error("no third node");
    }
    started.push(server);
    return server;
  });
  await expect(RedisCluster.start({ hasReplicas: false })).rejects.toThrow("no third node");
  expect(started).toHaveLength(2);
  for (const server of started) expect(server.isRunning).toBe(false);
});

test("lists the keys of all primaries and moves a slot with its keys", async () => {
  const cluster = await RedisCluster.start({ hasReplicas: false });
  onTestFinished(() => cluster.stop());
  const client = cluster.connect();
  onTestFinished(() => client.disconnect());
  const keys = Array.from({ length: 50 }, (_, index) => `key-${index}`);
  await Promise.all(keys.map((key) => client.set(key, "value")));
  const slot = await client.cluster("KEYSLOT", "key-0");
  const source = await cluster.primaryOf(slot);
  const target = cluster.servers.find((server) => server !== source);
  if (!target) throw new Error("A cluster has several primaries.");
  await cluster.moveSlot(slot, target);
  expect(await cluster.primaryOf(slot)).toBe(target);
  expect((await cluster.keys("key-*")).sort()).toEqual([...keys].sort());
  expect(await client.get("key-0")).toBe("value");
});
