import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { RedisServer } from "@presence/testkit";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { parse } from "yaml";

const MAIN = fileURLToPath(new URL("../apps/server/dist/main.js", import.meta.url));
/** A metric's name in an expression: functions are followed by a bracket, labels by a comparison. */
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

describe("of a server on Redis", () => {
  let told: Set<string>;

  beforeAll(async () => {
    const redis = await RedisServer.start();
    const port = await freePort();
    const server = spawn(process.execPath, [MAIN], {
      env: { ...process.env, REDIS_URL: redis.url, PORT: String(port), LOG_LEVEL: "warn" },
      stdio: "inherit",
    });
    try {
      const url = `http://127.0.0.1:${port}/metrics`;
      // It is there when Redis has been asked for the first time.
      const text = await vi.waitFor(
        async () => {
          const answer = await readText(await fetch(url));
          expect(answer).toContain("presence_redis_up 1");
          return answer;
        },
        { timeout: 30_000, interval: 100 },
      );
      told = new Set(
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

  test.each(dashboard.panels)("the panel '$title' asks for what is told", ({ targets }) => {
    const metrics = metricsIn(targets.map(({ expr }) => expr));
    expect(metrics).not.toEqual([]);
    for (const metric of metrics) expect(told).toContain(metric);
  });

  test.each(alerts)("the alarm $alert asks for what is told", ({ expr }) => {
    const metrics = metricsIn([expr]);
    expect(metrics).not.toEqual([]);
    for (const metric of metrics) expect(told).toContain(metric);
  });

  test("all that the platform tells of itself is shown", () => {
    const shown = metricsIn(dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)));
    const own = [...told].filter((name) => /^presence_(?!.*_(sum|count)$)/.test(name));
    const histograms = shown.filter((name) => name.endsWith("_bucket")).map((name) => name.slice(0, -"_bucket".length));
    const unseen = own.filter((name) => ![...shown, ...histograms, "presence_triggers_warned"].includes(name));
    expect(unseen).toEqual([]);
  });
});

test("the dashboard's panels have names and places of their own", () => {
  const { panels } = dashboard;
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  expect(new Set(panels.map(({ title }) => title)).size).toBe(panels.length);
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`),
  );
  expect(new Set(cells).size).toBe(cells.length);
  for (const { gridPos } of panels) expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
});

test("each alarm is explained, and no other", async () => {
  const operations = await read("../docs/operations.md");
  const explained = [...operations.matchAll(/^#### `(Presence\w+)`$/gm)].map(([, name]) => name);
  expect(explained.toSorted()).toEqual(alerts.map(({ alert }) => alert).toSorted());
  for (const { annotations } of alerts) expect(annotations.summary).not.toBe("");
});

function readText(response: Response): Promise<string> {
  return response.text();
}

/** All names under which one metric is told. */
function namesOf(typeLine: string): string[] {
  const [, , name = "", type] = typeLine.split(" ");
  return type === "histogram" ? [name, `${name}_bucket`, `${name}_sum`, `${name}_count`] : [name];
}
