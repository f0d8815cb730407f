import { existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { RedisServer } from "@presence/gears/testing";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { root } from "../setup/checkout.mjs";
import { runInTerminal, type TerminalCommand } from "../testing/terminal.ts";
import { createTinyCheckout, type TinyCheckout } from "../testing/tiny-checkout.ts";

const NPM_START = ["npm", "start"];
const RUNNING = /Running at (http:\S+)/;
const STOP_LIMIT_MS = 2_000;
const SIGN_IN = {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify({ client: "magali" }),
};
const SECOND_START_LIMIT_MS = 5_000;

function start(cwd: string, { args = [] as string[], env = {} as Record<string, string> } = {}): TerminalCommand {
  const command = runInTerminal([...NPM_START, "--", ...args], { cwd, env });
  onTestFinished(command.kill);
  return command;
}

async function startAndStop(cwd: string): Promise<void> {
  const command = start(cwd);
  await command.shows(RUNNING);
  command.interrupt();
  await command.ended;
}

describe("npm start in a checkout", () => {
  let checkout: TinyCheckout;

  beforeEach(async () => {
    checkout = await createTinyCheckout();
  });

  afterEach(async () => {
    await checkout.remove();
  });

  it("installs, builds and serves a fresh one, and tells how to open three clients", async () => {
    const command = start(checkout.path);
    const url = await command.shows(RUNNING);
    await command.shows(/Ctrl-C stops it/);
    expect(command.output()).toMatch(
      /Installing the packages … done in \d+ s\nBuilding the presence libraries, the server and the web app … done/,
    );
    expect(command.output()).toContain(`${url}/?as=anouk`);
    expect(command.output()).toContain(`${url}/?as=magali`);
    expect(command.output()).toContain(`${url}/?as=omar`);
    expect(command.output()).toContain(`${url}/demo`);
    expect(command.output()).toContain(`curl -N ${url}/events/anouk`);
    expect(await (await fetch(url)).text()).toBe("warn");
  });

  it("neither installs nor builds the second time", async () => {
    await startAndStop(checkout.path);
    const command = start(checkout.path);
    await command.shows(RUNNING);
    expect(command.output()).not.toMatch(/Installing|Building/);
    expect((await checkout.builds()).sort()).toEqual(["apps/server", "apps/web", "gears"]);
  });

  it("builds again what has changed, and only that", async () => {
    await startAndStop(checkout.path);
    await checkout.write("apps/web/src/added.js", "");
    const command = start(checkout.path);
    await command.shows(RUNNING);
    expect(command.output()).not.toContain("Installing");
    expect((await checkout.builds()).slice(3)).toEqual(["apps/web"]);
  });

  it("builds again what others have left in dist", async () => {
    await startAndStop(checkout.path);
    await checkout.write("apps/web/dist/main.js", "by somebody else");
    const command = start(checkout.path);
    await command.shows(RUNNING);
    expect((await checkout.builds()).slice(3)).toEqual(["apps/web"]);
  });

  it("installs again when the lock file has changed", async () => {
    await startAndStop(checkout.path);
    const lock = JSON.parse(await checkout.read("package-lock.json"));
    lock.packages["apps/web"].version = "2.0.0";
    await checkout.write("package-lock.json", JSON.stringify(lock));
    const web = JSON.parse(await checkout.read("apps/web/package.json"));
    await checkout.write("apps/web/package.json", JSON.stringify({ ...web, version: "2.0.0" }));
    const command = start(checkout.path);
    await command.shows(RUNNING);
    expect(command.output()).toContain("Installing the packages");
  });

  it("takes no build that was broken off for a whole one", async () => {
    const build = await checkout.read("apps/web/build.mjs");
    await checkout.write("apps/web/build.mjs", `${build}\nsetInterval(() => {}, 1_000);\n`);
    const brokenOff = start(checkout.path);
    await brokenOff.shows(/Building/);
    await expect.poll(() => existsSync(join(checkout.path, "apps/web/dist/main.js")), { timeout: 10_000 }).toBe(true);
    brokenOff.interrupt();
    await brokenOff.ended;

    await checkout.write("apps/web/build.mjs", build);
    await startAndStop(checkout.path);
    expect((await checkout.builds()).filter((name) => name === "apps/web")).toHaveLength(2);
  });

  it("shows the whole of a build's own words when it fails", async () => {
    await checkout.write("apps/web/build.mjs", 'console.log("first words");\nthrow new Error("last words");\n');
    const command = start(checkout.path);
    expect(await command.ended).toBe(1);
    expect(command.output()).toMatch(/The web app could not be built:[\s\S]*first words[\s\S]*last words/);
    expect(command.output()).not.toContain("scripts/setup");
  });

  it("shows npm's own words when it can't install", async () => {
    const manifest = JSON.parse(await checkout.read("package.json"));
    await checkout.write("package.json", JSON.stringify({ ...manifest, dependencies: { "not-locked": "1.0.0" } }));
    const command = start(checkout.path);
    expect(await command.ended).toBe(1);
    expect(command.output()).toMatch(/npm could not install the packages\. It says:[\s\S]*not-locked/);
    expect(command.output()).not.toContain("scripts/setup");
  });

  it("lets two starts at the same time prepare the checkout one after the other", async () => {
    const commands = [start(checkout.path), start(checkout.path)];
    await Promise.all(commands.map((command) => command.shows(RUNNING)));
    expect(await checkout.builds()).toHaveLength(3);
  });

  it("says in one line which Node it needs", async () => {
    const oldNode = 'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "18.20.8" } })';
    const command = runInTerminal(
      [process.execPath, "--import", `data:text/javascript,${oldNode}`, "scripts/start.mjs"],
      { cwd: checkout.path },
    );
    expect(await command.ended).toBe(1);
    expect(command.output()).toMatch(/^This needs Node .*18\.20\.8.*\n$/);
  });
});

describe("npm start in this checkout", () => {
  const env = { PORT: "0" };

  it("serves within five seconds when all is there, and ends with Ctrl-C within two", async () => {
    await startAndStopHere();
    const startedAt = performance.now();
    const command = start(root, { env });
    const url = await command.shows(RUNNING);
    expect(performance.now() - startedAt).toBeLessThan(SECOND_START_LIMIT_MS);
    const stream = await fetch(`${url}/events/anouk`);
    expect(stream.status).toBe(200);

    const interruptedAt = performance.now();
    command.interrupt();
    expect([0, 130, "SIGINT"]).toContain(await command.ended);
    expect(performance.now() - interruptedAt).toBeLessThan(STOP_LIMIT_MS);
    expect(command.output()).not.toMatch(/npm (error|ERR!)/);
  });

  it("ends when npm alone is told to end", async () => {
    const command = start(root, { env });
    await command.shows(RUNNING);
    const terminatedAt = performance.now();
    command.terminate();
    await command.ended;
    expect(performance.now() - terminatedAt).toBeLessThan(STOP_LIMIT_MS);
    expect(command.output()).not.toMatch(/npm (error|ERR!)/);
  });

  it("says what it is to the others on its Redis", async () => {
    const redis = await RedisServer.start();
    onTestFinished(() => redis.stop());
    const host = start(root, { env: { ...env, REDIS_URL: redis.url } });
    await host.shows(RUNNING);
    await host.shows(new RegExp(`Redis at 127\\.0\\.0\\.1:${redis.port}; this server hosts its triggers as well`));
    const other = start(root, { env: { ...env, REDIS_URL: redis.url, TRIGGERS: "elsewhere" } });
    await other.shows(/this server leaves its triggers to others/);

    const [url, otherUrl] = [host, other].map((command) => RUNNING.exec(command.output())?.[1]);
    const stream = await fetch(`${url}/events/anouk`);
    onTestFinished(() => stream.body?.cancel());
    const seen = async () => {
      const { token } = (await (await fetch(`${otherUrl}/api/sessions`, SIGN_IN)).json()) as { token: string };
      const contacts = await fetch(`${otherUrl}/api/contacts`, { headers: { Authorization: `Bearer ${token}` } });
      return await contacts.text();
    };
    await expect.poll(seen, { timeout: 5_000 }).toContain('"client":"anouk","status":"ONLINE"');
  });

  it("says in one line that the port is in use", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    onTestFinished(() => void other.close());
    await expect.poll(() => other.listening).toBe(true);
    const { port } = other.address() as AddressInfo;
    const command = start(root, { env: { PORT: String(port) } });
    expect(await command.ended).toBe(1);
    expect(wordsOf(command)).toEqual([expect.stringContaining(`Port ${port} is in use`)]);
  });

  it.each([
    [{ env: { PORT: "many" } }, "PORT"],
    [{ env: { HEARTBEAT_INTERVAL_MS: "0" } }, "HEARTBEAT_INTERVAL_MS"],
    [{ env: { REDIS_URL: "redis://one,http://two" } }, "REDIS_URL"],
    [{ env: { REDIS_URL: "redis://127.0.0.1:1" } }, "Redis at 127.0.0.1:1 can't be used (connect ECONNREFUSED"],
    [{ args: ["--contacts", "none"] }, "--contacts"],
    [{ args: ["--no-such-thing"] }, "--no-such-thing"],
  ])("says in one line what is wrong with a setting: %j", async (options, name) => {
    const command = start(root, options);
    expect(await command.ended).toBe(1);
    expect(wordsOf(command)).toEqual([expect.stringContaining(name)]);
  });

  async function startAndStopHere(): Promise<void> {
    const command = start(root, { env });
    await command.shows(RUNNING);
    command.interrupt();
    await command.ended;
  }

  /** What was said, without npm's own two lines and what was built, if sources have just changed. */
  function wordsOf(command: TerminalCommand): string[] {
    return command
      .output()
      .split("\n")
      .filter((line) => line !== "" && !/^> | … /.test(line));
  }
});
