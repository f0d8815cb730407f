import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { type Environment, parseConfig } from "../apps/server/src/config.ts";
import { parseHostConfig } from "../gears/src/config.ts";
import { isSupportedNode } from "../scripts/setup/node-version.mjs";

const ROOT = join(import.meta.dirname, "..");
const SERVERS = ["server-1", "server-2", "server-3"];
const REDISES = ["redis-stack", "redis"];

interface Service {
  profiles?: string[];
  image?: string;
  build?: string;
  user?: string;
  restart?: string;
  cap_drop?: string[];
  security_opt?: string[];
  command?: string[];
  ports?: string[];
  environment?: Record<string, string>;
  volumes?: string[];
  networks: string[] | Record<string, { aliases: string[] }>;
  healthcheck?: { test: string[] };
  depends_on?: Record<string, { condition: string; required?: boolean }>;
}

interface Compose {
  services: Record<string, Service>;
  networks: Record<string, { internal?: boolean }>;
  volumes: Record<string, unknown>;
}

const compose = parse(read("docker-compose.yml"), { merge: true }) as Compose;
const dockerfile = read("Dockerfile");
const proxyDockerfile = read("deploy/proxy/Dockerfile");
const caddyfile = read("deploy/proxy/Caddyfile");

function read(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

function service(name: string): Service {
  const found = compose.services[name];
  if (!found) throw new Error(`no service ${name}`);
  return found;
}

/** A service's environment with the defaults of all variables. */
function environmentOf(name: string): Record<string, string> {
  const entries = Object.entries(service(name).environment ?? {});
  return Object.fromEntries(entries.map(([key, value]) => [key, withDefaults(value)]));
}

function withDefaults(value: string): string {
  return value.replace(/\$\{\w+:-([^}]*)\}/g, "$1");
}

/** The names of the variables that `use` reads. */
function namesRead(env: Record<string, string>, use: (env: Environment) => unknown): Set<string> {
  const names = new Set<string>();
  const recording = new Proxy(env, {
    get(target, name) {
      names.add(String(name));
      return target[String(name)];
    },
  });
  use(recording);
  return names;
}

function linesOf(text: string, instruction: string): string[] {
  return [...text.matchAll(new RegExp(`^${instruction} (.*)$`, "gm"))].map(([, rest = ""]) => rest);
}

describe("the servers", () => {
  it.each(SERVERS)("%s has a valid environment without unknown variables", (name) => {
    const env = environmentOf(name);
    expect(parseConfig(env, [])).toMatchObject({
      serverId: name,
      port: 8080,
      hosts: ["0.0.0.0"],
      heartbeatIntervalMs: 5000,
      hostsTriggers: true,
      access: { mode: "demo" },
      redisUrl: expect.stringMatching(/@redis:6379$/),
    });
    expect(parseConfig({ ...env, TRIGGERS: "elsewhere" }, []).hostsTriggers).toBe(false);
    const names = namesRead(env, (watched) => parseConfig(watched, []));
    expect(Object.keys(env).filter((key) => !names.has(key))).toEqual([]);
  });

  it.each(SERVERS)("%s has a health check on its port", (name) => {
    const { PORT } = environmentOf(name);
    expect(service(name).healthcheck?.test.join(" ")).toContain(`http://127.0.0.1:${PORT}/readyz`);
    expect(linesOf(dockerfile, "EXPOSE")).toEqual([PORT]);
  });

  it("are reachable only through the proxy", () => {
    for (const name of SERVERS) expect(service(name).ports).toBeUndefined();
    const upstreams = SERVERS.map((name) => `${name}:${environmentOf(name)["PORT"]}`).join(" ");
    expect(environmentOf("proxy")["SERVERS"]).toBe(upstreams);
    expect(caddyfile).toContain(`{$SERVERS:${upstreams}}`);
    expect(Object.keys(service("proxy").depends_on ?? {})).toEqual(SERVERS);
  });
});

describe("the trigger host", () => {
  it("has a valid environment with the servers' Redis and heartbeat interval", () => {
    const env = environmentOf("trigger-host");
    const config = parseHostConfig(env);
    const { redisUrl, heartbeatIntervalMs } = parseConfig(environmentOf("server-1"), []);
    expect(config).toMatchObject({ redisUrl, heartbeatIntervalMs });
    const names = namesRead(env, parseHostConfig);
    expect(Object.keys(env).filter((key) => !names.has(key))).toEqual([]);
  });

  it("runs the built program", () => {
    expect(service("trigger-host").command).toEqual(["node", "gears/dist/host.js"]);
    expect(read("gears/build.mjs")).toContain('outfile: "dist/host.js"');
  });
});

describe("Redis", () => {
  it.each(REDISES)("%s uses the repository's configuration and users", (name) => {
    const { volumes = [], networks } = service(name);
    const mounts = new Map(volumes.map((volume) => volume.split(":") as [string, string]));
    const aclFile = /^aclfile (\S+)$/m.exec(read("deploy/redis/redis.conf"))?.[1];
    expect(mounts.get("./deploy/redis/redis.conf")).toMatch(/\.conf$/);
    expect([...mounts.values()]).toContain(aclFile);
    const names = Array.isArray(networks) ? [name] : (networks["inside"]?.aliases ?? []);
    expect(names).toContain(new URL(environmentOf("server-1")["REDIS_URL"] ?? "").hostname);
  });

  it.each(["users.acl", "users.redisgears.acl"])("%s has the servers' user and password", (file) => {
    const { username, password } = new URL(environmentOf("server-1")["REDIS_URL"] ?? "");
    const hash = createHash("sha256").update(password).digest("hex");
    expect(read(`deploy/redis/${file}`)).toContain(`user ${username} on #${hash} `);
  });

  it("runs in one of two profiles, and servers wait for it", () => {
    expect(REDISES.map((name) => service(name).profiles)).toEqual([["redisgears"], ["functions"]]);
    expect(read(".env")).toContain("\nCOMPOSE_PROFILES=redisgears\n");
    for (const name of [...SERVERS, "trigger-host"]) {
      const healthy = { condition: "service_healthy", required: false };
      expect(service(name).depends_on).toEqual({ "redis-stack": healthy, redis: healthy });
    }
  });

  it("is reachable only for servers and trigger hosts", () => {
    expect(compose.networks["inside"]).toEqual({ internal: true });
    expect(service("proxy").networks).toEqual(["front"]);
    for (const name of REDISES) expect(service(name).ports).toBeUndefined();
  });
});

describe("the proxy", () => {
  it("is published on loopback by default", () => {
    const port = /^https:\/\/\S+:(\d+) \{$/m.exec(caddyfile)?.[1];
    expect(withDefaults(service("proxy").ports?.[0] ?? "")).toBe(`127.0.0.1:8443:${port}`);
    expect(linesOf(proxyDockerfile, "EXPOSE")).toEqual([port]);
  });

  it("does not forward the operators' paths", () => {
    for (const path of ["/metrics", "/healthz", "/readyz"]) expect(caddyfile).toMatch(new RegExp(`path .*${path}\\*`));
  });
});

describe("all services", () => {
  it("drop privileges, restart, and have health checks", () => {
    for (const [name, each] of Object.entries(compose.services)) {
      expect(each, name).toMatchObject({
        restart: "unless-stopped",
        cap_drop: ["ALL"],
        security_opt: ["no-new-privileges:true"],
      });
      if (name !== "proxy") expect(each.healthcheck, name).toBeDefined();
    }
  });

  it("do not run as root if the image allows it", () => {
    expect(linesOf(dockerfile, "USER")).toEqual(["node"]);
    expect(linesOf(proxyDockerfile, "USER")).toEqual(["proxy"]);
    expect(service("redis").user).toBe("redis");
  });

  it("pin image versions, with a supported version of Node", () => {
    const images = [
      ...REDISES.map((name) => service(name).image ?? ""),
      ...[dockerfile, proxyDockerfile].flatMap((text) => linesOf(text, "FROM")),
    ];
    for (const image of images) expect(image).toMatch(/^[\w./-]+:\d+\.\d+\.\d+/);
    for (const image of linesOf(dockerfile, "FROM")) {
      expect(isSupportedNode(/^node:([\d.]+)/.exec(image)?.[1] ?? "")).toBe(true);
    }
  });

  it("refer to existing files", () => {
    const copied = [dockerfile].flatMap((text) => linesOf(text, "COPY").filter((rest) => !rest.startsWith("--from")));
    const sources = copied.flatMap((rest) => rest.split(" ").slice(0, -1));
    const mounted = Object.values(compose.services).flatMap(({ volumes = [] }) =>
      volumes.map((volume) => volume.split(":")[0] ?? "").filter((source) => source.startsWith("./")),
    );
    const builds = Object.values(compose.services).flatMap(({ build }) => (build ? [`${build}/Dockerfile`] : []));
    for (const path of [...sources, ...mounted, ...builds]) expect(existsSync(join(ROOT, path)), path).toBe(true);
  });

  it("use exactly the declared volumes", () => {
    const used = Object.values(compose.services).flatMap(({ volumes = [] }) =>
      volumes.map((volume) => volume.split(":")[0] ?? "").filter((source) => !source.startsWith("./")),
    );
    expect(used.sort()).toEqual(Object.keys(compose.volumes).sort());
  });
});
