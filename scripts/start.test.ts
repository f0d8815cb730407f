import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { RedisServer } from "@presence/testkit";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { runInTerminal, type TerminalCommand } from "./testing/terminal.ts";
import { createTinyCheckout, type TinyCheckout } from "./testing/tiny-checkout.ts";

const RUNNING = /Running at (http:\S+)/;
const EVENT_LIMIT_MS = 15_000;
/** The server gives its streams 1.5 s to end. */
const STOP_LIMIT_MS = 5_000;
const SIGN_IN = {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify({ client: "magali" }),
};

function start(cwd?: string, { args = [] as string[], env = {} as Record<string, string> } = {}): TerminalCommand {
  return runInTerminal(["npm", "start", "--", ...args], { ...(cwd && { cwd }), env });
}

/** Starts, stops with Ctrl-C, and returns what was printed. */
async function startAndStop(cwd: string): Promise<string> {
  const command = start(cwd);
  await command.shows(RUNNING);
  command.signal("SIGINT");
  await command.ended;
  return command.output();
}

describe("npm start in a checkout", () => {
  let checkout: TinyCheckout;

  beforeEach(async () => {
    checkout = await createTinyCheckout();
    return checkout.remove;
  });

  it("installs, builds and serves a fresh clone, and prints how to open three clients", async () => {
    const command = start(checkout.path);
    const url = await command.shows(RUNNING);
    await command.shows(/Ctrl-C stops it/);
    expect(command.output()).toMatch(
      /Installing the packages …[\s\S]*Building gears, apps\/server and apps\/web …[\s\S]*Running/,
    );
    for (const line of [...["anouk", "magali", "omar"].map((client) => `${url}/?as=${client}`), `${url}/demo`]) {
      expect(command.output()).toContain(line);
    }
    expect(command.output()).toContain(`curl -N ${url}/events/anouk`);
    expect(await (await fetch(url)).text()).toBe("warn");
  });

  it("neither installs nor builds the second time", async () => {
    await startAndStop(checkout.path);
    expect(await startAndStop(checkout.path)).not.toMatch(/Installing|Building/);
    expect(await checkout.builds()).toEqual(["gears", "apps/server", "apps/web"]);
  });

  it.each([
    ["its sources have changed", "apps/web/src/added.js"],
    ["another program has changed its dist", "apps/web/dist/main.js"],
  ])("builds a workspace again if %s, and no other", async (_, file) => {
    await startAndStop(checkout.path);
    await checkout.write(file, "");
    expect(await startAndStop(checkout.path)).not.toContain("Installing");
    expect((await checkout.builds()).slice(3)).toEqual(["apps/web"]);
  });

  it("installs again if the lock file has changed", async () => {
    await startAndStop(checkout.path);
    for (const file of ["package-lock.json", "apps/web/package.json"]) {
      const json = JSON.parse(await checkout.read(file));
      Object.assign(json.packages?.["apps/web"] ?? json, { version: "2.0.0" });
      await checkout.write(file, JSON.stringify(json));
    }
    expect(await startAndStop(checkout.path)).toContain("Installing the packages");
  });

  it("builds again after an interrupted build", async () => {
    const build = await checkout.read("apps/web/build.mjs");
    await checkout.write("apps/web/build.mjs", `${build}\nsetInterval(() => {}, 1_000);\n`);
    const interrupted = start(checkout.path);
    await interrupted.shows(/Building/);
    await expect.poll(() => existsSync(join(checkout.path, "apps/web/dist/main.js")), { timeout: 10_000 }).toBe(true);
    interrupted.signal("SIGINT");
    await interrupted.ended;

    await checkout.write("apps/web/build.mjs", build);
    await startAndStop(checkout.path);
    expect((await checkout.builds()).filter((name) => name === "apps/web")).toHaveLength(2);
  });

  it("shows the complete output of a build that fails", async () => {
    await checkout.write("apps/web/build.mjs", 'console.log("first line");\nthrow new Error("last line");\n');
    const command = start(checkout.path);
    expect(await command.ended).toBe(1);
    expect(command.output()).toMatch(/first line[\s\S]*last line[\s\S]*apps\/web could not be built/);
    expect(command.output()).not.toContain("scripts/setup");
  });

  it("shows the errors of npm if it cannot install", async () => {
    const manifest = JSON.parse(await checkout.read("package.json"));
    await checkout.write("package.json", JSON.stringify({ ...manifest, dependencies: { "not-locked": "1.0.0" } }));
    const command = start(checkout.path);
    expect(await command.ended).toBe(1);
    expect(command.output()).toMatch(/not-locked[\s\S]*npm could not install the packages\./);
    expect(command.output()).not.toContain("scripts/setup");
  });

  it("prepares the checkout only once if two commands start at the same time", async () => {
    const commands = [start(checkout.path), start(checkout.path)];
    await Promise.all(commands.map((command) => command.shows(RUNNING)));
    expect(await checkout.builds()).toHaveLength(3);
  });

  it("reports in one line which Node it needs", async () => {
    const oldNode = 'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "18.20.8" } })';
    const command = runInTerminal(
      [process.execPath, "--import", `data:text/javascript,${oldNode}`, "scripts/run.mjs", "start"],
      { cwd: checkout.path },
    );
    expect(await command.ended).toBe(1);
    expect(command.output()).toMatch(/^This needs Node .*18\.20\.8.*\n$/);
  });
});

describe("npm start in this checkout", () => {
  const env = { PORT: "0" };

  it.each([
    ["Ctrl-C", (command: TerminalCommand) => command.signal("SIGINT")],
    ["SIGTERM to npm alone", (command: TerminalCommand) => command.terminate()],
  ])("serves until %s, and then stops while a stream is open", async (_, stop) => {
    const command = start(undefined, { env });
    const url = await command.shows(RUNNING);
    const stream = await fetch(`${url}/events/anouk`);
    expect(stream.status).toBe(200);

    const stoppedAt = performance.now();
    stop(command);
    expect([0, 130, 143, "SIGINT", "SIGTERM"]).toContain(await command.ended);
    expect(performance.now() - stoppedAt).toBeLessThan(STOP_LIMIT_MS);
    expect(command.output()).not.toMatch(/npm (error|ERR!)/);
  });

  it("shares presence through Redis, and prints which server hosts the triggers", async () => {
    const redis = await RedisServer.start();
    onTestFinished(() => redis.stop());
    const host = start(undefined, { env: { ...env, REDIS_URL: redis.url } });
    const url = await host.shows(RUNNING);
    await host.shows(new RegExp(`Redis at 127\\.0\\.0\\.1:${redis.port}; this server hosts the triggers as well`));
    const other = start(undefined, { env: { ...env, REDIS_URL: redis.url, TRIGGERS: "elsewhere" } });
    const otherUrl = await other.shows(RUNNING);
    await other.shows(/this server does not host the triggers/);

    const stream = await fetch(`${url}/events/anouk`);
    onTestFinished(() => stream.body?.cancel());
    const contacts = async () => {
      const { token } = (await (await fetch(`${otherUrl}/api/sessions`, SIGN_IN)).json()) as { token: string };
      return (await fetch(`${otherUrl}/api/contacts`, { headers: { Authorization: `Bearer ${token}` } })).text();
    };
    await expect.poll(contacts, { timeout: EVENT_LIMIT_MS }).toContain('"client":"anouk","status":"ONLINE"');
  });

  it("reports in one line that the port is in use", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    onTestFinished(() => void other.close());
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    const command = start(undefined, { env: { PORT: String(port) } });
    expect(await command.ended).toBe(1);
    expect(command.lines()).toEqual([expect.stringContaining(`Port ${port} is in use`)]);
  });

  it.each([
    [{ env: { PORT: "many" } }, "PORT"],
    [{ env: { HEARTBEAT_INTERVAL_MS: "0" } }, "HEARTBEAT_INTERVAL_MS"],
    [{ env: { REDIS_URL: "redis://one,http://two" } }, "REDIS_URL"],
    [{ env: { REDIS_URL: "redis://127.0.0.1:1" } }, "(connect ECONNREFUSED"],
    [{ args: ["--contacts", "none"] }, "--contacts"],
    [{ args: ["--no-such-thing"] }, "--no-such-thing"],
  ])("reports in one line what is wrong with a setting: %j", async (options, message) => {
    const command = start(undefined, options);
    expect(await command.ended).toBe(1);
    expect(command.lines()).toEqual([expect.stringContaining(message)]);
  });
});
