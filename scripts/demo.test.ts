import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { runInTerminal, type TerminalCommand } from "./testing/terminal.ts";

/** Not the default ports: a demo may be running on this machine. */
const PORTS = [8281, 8282, 8283];
const STARTED = /Ctrl-C stops all of them/;
const REDIS_PORT = /redis-cli -p (\d+) monitor/;
const START_AND_STOP_LIMIT_MS = 150_000;
const EVENT_LIMIT_MS = 15_000;

function startDemo({ args = [] as string[], env = {} as Record<string, string> } = {}): TerminalCommand {
  return runInTerminal(["npm", "run", "demo", "--", ...args], {
    env: { PORT: String(PORTS[0]), HEARTBEAT_INTERVAL_MS: "1000", ...env },
  });
}

async function isListening(port: number): Promise<boolean> {
  const socket = connect({ port, host: "127.0.0.1" });
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function expectNothingLeft(command: TerminalCommand): Promise<void> {
  const redisPort = Number(REDIS_PORT.exec(command.output())?.[1]);
  for (const port of [...PORTS, redisPort]) expect(await isListening(port), `port ${port}`).toBe(false);
  expect(descendantsOf(command.pid)).toEqual([]);
}

function descendantsOf(pid: number): { pid: number; command: string }[] {
  const rows = execFileSync("ps", ["-A", "-o", "pid=,ppid=,command="], { encoding: "utf8" })
    .split("\n")
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line))
    .filter((row) => row !== null)
    .map(([, child, parent, command = ""]) => ({ pid: Number(child), parent: Number(parent), command }));
  const below = (parent: number): { pid: number; command: string }[] =>
    rows
      .filter((row) => row.parent === parent)
      .flatMap(({ pid: child, command }) => [{ pid: child, command }, ...below(child)]);
  return below(pid);
}

function demoFolders(): string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith("presence-demo-"));
}

/** Reads a client's stream with curl until the test ends. */
function follow(port: number | undefined, client: string): () => string {
  return runInTerminal(["curl", "--silent", "--no-buffer", `http://localhost:${port}/events/${client}`]).output;
}

describe("npm run demo", { timeout: START_AND_STOP_LIMIT_MS }, () => {
  beforeAll(async () => {
    for (const port of PORTS) expect(await isListening(port), `this test needs port ${port}`).toBe(false);
  });

  it("shows three clients on three servers to each other, and leaves nothing running after Ctrl-C", async () => {
    const foldersBefore = demoFolders();
    const demo = startDemo({ args: ["--contacts", "20"] });
    await demo.shows(STARTED);
    for (const [index, client] of ["anouk", "magali", "omar"].entries()) {
      expect(demo.output()).toContain(`http://localhost:${PORTS[index]}/?as=${client}`);
      expect(demo.output()).toContain(`curl -N http://localhost:${PORTS[index]}/events/${client}`);
    }

    const anouk = follow(PORTS[0], "anouk");
    await expect.poll(anouk, { timeout: EVENT_LIMIT_MS }).toContain("event: snapshot");
    expect(JSON.parse(/data: (.*"contacts".*)/.exec(anouk())?.[1] ?? "").contacts.length).toBeGreaterThan(15);
    const magali = follow(PORTS[1], "magali");
    await expect.poll(anouk, { timeout: EVENT_LIMIT_MS }).toContain('{"client":"magali","status":"ONLINE"');
    follow(PORTS[2], "omar");
    for (const stream of [anouk, magali]) {
      await expect.poll(stream, { timeout: EVENT_LIMIT_MS }).toContain('{"client":"omar","status":"ONLINE"');
    }

    demo.signal("SIGINT");
    expect([0, 130, "SIGINT"]).toContain(await demo.ended);
    expect(demo.output()).not.toMatch(/npm (error|ERR!)|has ended/);
    await expectNothingLeft(demo);
    expect(demoFolders()).toEqual(foldersBefore);
  });

  it.each([
    ["SIGTERM to npm alone", (demo: TerminalCommand) => demo.terminate()],
    ["closing the terminal", (demo: TerminalCommand) => demo.signal("SIGHUP")],
  ])("leaves nothing running after %s", async (_, stop) => {
    const demo = startDemo();
    await demo.shows(STARTED);
    stop(demo);
    await demo.ended;
    await expectNothingLeft(demo);
  });

  it("names a server that has crashed, and stops the rest", async () => {
    const demo = startDemo();
    await demo.shows(STARTED);
    const [server] = descendantsOf(demo.pid).filter(({ command }) => command.includes("apps/server/dist/main.js"));
    process.kill(server?.pid ?? 0, "SIGKILL");
    expect(await demo.ended).toBe(1);
    expect(demo.output()).toMatch(/^server-[123] has ended \(SIGKILL\)\. The demo ends\.$/m);
    await expectNothingLeft(demo);
  });

  it("reports that Redis has ended, and stops the rest", async () => {
    const demo = startDemo();
    await demo.shows(STARTED);
    const redis = connect({ port: Number(REDIS_PORT.exec(demo.output())?.[1]), host: "127.0.0.1" });
    redis.on("error", () => {}).end("SHUTDOWN NOSAVE\r\n");
    expect(await demo.ended).toBe(1);
    expect(demo.output()).toMatch(/^Redis has ended \(exit status 0\)\. The demo ends\.$/m);
    await expectNothingLeft(demo);
  });

  it("reports in one line that a port is in use", async () => {
    const other = createServer().listen(PORTS[1], "127.0.0.1");
    onTestFinished(() => void other.close());
    await once(other, "listening");
    const demo = startDemo();
    expect(await demo.ended).toBe(1);
    expect(demo.lines()).toEqual([expect.stringMatching(/^Port 8282 is in use.*8281, 8282 and 8283/)]);
  });

  it.each([
    ["an argument", { args: ["--no-such-thing"] }, "--no-such-thing"],
    ["the interval", { env: { HEARTBEAT_INTERVAL_MS: "0" } }, "HEARTBEAT_INTERVAL_MS"],
    ["the port", { env: { PORT: "65534" } }, "PORT"],
    ["the path of Redis", { env: { REDIS_SERVER_PATH: "/no/such/redis-server" } }, "REDIS_SERVER_PATH"],
    ["the URL of Redis", { env: { REDIS_URL: "redis://127.0.0.1:8299" } }, "Redis at 127.0.0.1:8299 can"],
  ])("reports once what is wrong with %s", async (_, options, message) => {
    const demo = startDemo(options);
    expect(await demo.ended).toBe(1);
    expect(demo.lines()[0]).toContain(message);
    expect(demo.lines().length).toBeLessThanOrEqual(2);
    expect(descendantsOf(demo.pid)).toEqual([]);
  });
});
