import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { RedisServer } from "@presence/testkit";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { parse } from "yaml";

const MAIN = fileURLToPath(new URL("../apps/server/dist/main.js", import.meta.url));
/** Matches metric names in a PromQL expression. */
const METRIC = /\b(?:presence|nodejs|process)_[a-z0-9_]+/g;

interface Dashboard {
  uid: string;
  panels: {
    id: number;
    title: string;
    gridPos: { x: number; y: number; w: number; h: number };
    targets: { expr: string }[];
  }[];
}

interface Rules {
  groups: { rules: { alert: string; expr: string; annotations: { summary: string } }[] }[];
}

const dashboard: Dashboard = JSON.parse(await read("grafana/presence.json"));
const rules: Rules = parse(await read("prometheus/alerts.yml"));
const alerts = rules.groups.flatMap((group) => group.rules);

function read(path: string): Promise<string> {
  return readFile(new URL(path, import.meta.url), "utf8");
}

function metricsIn(expressions: readonly string[]): string[] {
  return [...new Set(expressions.flatMap((expression) => expression.match(METRIC) ?? []))];
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  return typeof address === "object" && address ? address.port : 0;
}

describe("metrics of a server with Redis", () => {
  let exported: Set<string>;

  beforeAll(async () => {
    const redis = await RedisServer.start();
    const port = await freePort();
    const server = spawn(process.execPath, [MAIN], {
      env: { ...process.env, REDIS_URL: redis.url, PORT: String(port), LOG_LEVEL: "warn" },
      stdio: "inherit",
    });
    try {
      const url = `http://127.0.0.1:${port}/metrics`;
      // The metric exists after the first request to Redis.
      const text = await vi.waitFor(
        async () => {
          const body = await readText(await fetch(url));
          expect(body).toContain("presence_redis_up 1");
          return body;
        },
        { timeout: 30_000, interval: 100 },
      );
      exported = new Set(
        text
          .split("\n")
          .filter((line) => line.startsWith("# TYPE "))
          .flatMap(namesOf),
      );
    } finally {
      server.kill("SIGKILL");
      await once(server, "exit");
      await redis.stop();
    }
  }, 60_000);

  test.each(dashboard.panels)("contain all metrics of the panel '$title'", ({ targets }) => {
    const metrics = metricsIn(targets.map(({ expr }) => expr));
    expect(metrics).not.toEqual([]);
    for (const metric of metrics) expect(exported).toContain(metric);
  });

  test.each(alerts)("contain all metrics of the alert $alert", ({ expr }) => {
    const metrics = metricsIn([expr]);
    expect(metrics).not.toEqual([]);
    for (const metric of metrics) expect(exported).toContain(metric);
  });

  test("are all shown in the dashboard", () => {
    const shown = metricsIn(dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)));
    const own = [...exported].filter((name) => /^presence_(?!.*_(sum|count)$)/.test(name));
    const histograms = shown.filter((name) => name.endsWith("_bucket")).map((name) => name.slice(0, -"_bucket".length));
    const missing = own.filter((name) => ![...shown, ...histograms, "presence_triggers_warned"].includes(name));
    expect(missing).toEqual([]);
  });
});

test("the dashboard's panels have unique ids, titles and positions", () => {
  const { panels } = dashboard;
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  expect(new Set(panels.map(({ title }) => title)).size).toBe(panels.length);
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`),
  );
  expect(new Set(cells).size).toBe(cells.length);
  for (const { gridPos } of panels) expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
});

test("docs/operations.md explains each alert and no other", async () => {
  const operations = await read("../docs/operations.md");
  const documented = [...operations.matchAll(/^#### `(Presence\w+)`$/gm)].map(([, name]) => name);
  expect(documented.toSorted()).toEqual(alerts.map(({ alert }) => alert).toSorted());
  for (const { annotations } of alerts) expect(annotations.summary).not.toBe("");
});

function readText(response: Response): Promise<string> {
  return response.text();
}

/** All names of the time series of one metric. */
function namesOf(typeLine: string): string[] {
  const [, , name = "", type] = typeLine.split(" ");
  return type === "histogram" ? [name, `${name}_bucket`, `${name}_sum`, `${name}_count`] : [name];
}
