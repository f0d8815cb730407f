import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { root } from "../setup/checkout.mjs";
import { runInTerminal, type TerminalCommand } from "../testing/terminal.ts";

const DEMO = ["npm", "run", "demo", "--"];
/** Out of the way of a demo that somebody watches. */
const PORTS = [8281, 8282, 8283];
const STARTED = /Ctrl-C stops it all/;
const REDIS_PORT = /redis-cli -p (\d+) monitor/;
const START_AND_STOP_LIMIT_MS = 90_000;

function startDemo({ args = [] as string[], env = {} as Record<string, string> } = {}): TerminalCommand {
  const command = runInTerminal([...DEMO, ...args], {
    cwd: root,
    env: { PORT: String(PORTS[0]), HEARTBEAT_INTERVAL_MS: "1000", ...env },
  });
  onTestFinished(command.kill);
  return command;
}

/** What was said, without npm's own two lines and what was built, if sources have just changed. */
function wordsOf(command: TerminalCommand): string[] {
  return command
    .output()
    .split("\n")
    .filter((line) => line !== "" && !/^> | … /.test(line));
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

interface Process {
  pid: number;
  command: string;
}

function descendantsOf(pid: number): Process[] {
  const rows = execFileSync("ps", ["-A", "-o", "pid=,ppid=,command="], { encoding: "utf8" })
    .split("\n")
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line))
    .filter((row) => row !== null)
    .map(([, child, parent, command = ""]) => ({ pid: Number(child), parent: Number(parent), command }));
  const below = (parent: number): Process[] =>
    rows
      .filter((row) => row.parent === parent)
      .flatMap(({ pid: child, command }) => [{ pid: child, command }, ...below(child)]);
  return below(pid);
}

function demoFolders(): string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith("presence-demo-"));
}

/** What a terminal shows of a client's stream, for as long as the test lasts. */
function follow(port: number | undefined, client: string): { text: () => string } {
  const curl = runInTerminal(["curl", "--silent", "--no-buffer", `http://localhost:${port}/events/${client}`], {
    cwd: root,
  });
  onTestFinished(curl.kill);
  return { text: curl.output };
}

describe("npm run demo", { timeout: START_AND_STOP_LIMIT_MS }, () => {
  beforeAll(async () => {
    for (const port of PORTS) expect(await isListening(port), `port ${port} is needed here`).toBe(false);
  });

  it("shows three clients on three servers to each other, and Ctrl-C leaves nothing running", async () => {
    const foldersBefore = demoFolders();
    const demo = startDemo({ args: ["--contacts", "20"] });
    await demo.shows(STARTED);
    for (const [index, client] of ["anouk", "magali", "omar"].entries()) {
      expect(demo.output()).toContain(`http://localhost:${PORTS[index]}/?as=${client}`);
      expect(demo.output()).toContain(`curl -N http://localhost:${PORTS[index]}/events/${client}`);
    }

    const anouk = follow(PORTS[0], "anouk");
    await expect.poll(anouk.text).toContain("event: snapshot");
    expect(JSON.parse(/data: (.*"contacts".*)/.exec(anouk.text())?.[1] ?? "").contacts.length).toBeGreaterThan(15);
    const magali = follow(PORTS[1], "magali");
    await expect.poll(anouk.text, { timeout: 5_000 }).toContain('{"client":"magali","status":"ONLINE"');
    follow(PORTS[2], "omar");
    for (const { text } of [anouk, magali]) {
      await expect.poll(text, { timeout: 5_000 }).toContain('{"client":"omar","status":"ONLINE"');
    }

    demo.interrupt();
    expect([0, 130, "SIGINT"]).toContain(await demo.ended);
    expect(demo.output()).not.toMatch(/npm (error|ERR!)|has ended/);
    await expectNothingLeft(demo);
    expect(demoFolders()).toEqual(foldersBefore);
  });

  it("leaves nothing running when npm alone is told to end", async () => {
    const demo = startDemo();
    await demo.shows(STARTED);
    demo.terminate();
    await demo.ended;
    await expectNothingLeft(demo);
  });

  it("leaves nothing running when its terminal is closed", async () => {
    const demo = startDemo();
    await demo.shows(STARTED);
    demo.hangUp();
    await demo.ended;
    await expectNothingLeft(demo);
  });

  it("says which server has died, and ends the rest", async () => {
    const demo = startDemo();
    await demo.shows(STARTED);
    const [server] = descendantsOf(demo.pid).filter(({ command }) => command.includes("apps/server/dist/main.js"));
    process.kill(server?.pid ?? 0, "SIGKILL");
    expect(await demo.ended).toBe(1);
    expect(demo.output()).toMatch(/^server-[123] has ended \(SIGKILL\)\. Without it the demo is over\.$/m);
    await expectNothingLeft(demo);
  });

  it("says that Redis has died, and ends the rest", async () => {
    const demo = startDemo();
    await demo.shows(STARTED);
    const redis = connect({ port: Number(REDIS_PORT.exec(demo.output())?.[1]), host: "127.0.0.1" });
    redis.on("error", () => {}).end("SHUTDOWN NOSAVE\r\n");
    expect(await demo.ended).toBe(1);
    expect(demo.output()).toMatch(/^Redis has ended \(exit status 0\)\. Without it the demo is over\.$/m);
    await expectNothingLeft(demo);
  });

  it("says in one line that a port is in use", async () => {
    const other = createServer().listen(PORTS[1], "127.0.0.1");
    onTestFinished(() => void other.close());
    await once(other, "listening");
    const demo = startDemo();
    expect(await demo.ended).toBe(1);
    expect(wordsOf(demo)).toEqual([expect.stringMatching(/^Port 8282 is in use.*8281, 8282 and 8283/)]);
  });

  it.each([
    ["an argument", { args: ["--no-such-thing"] }, "--no-such-thing"],
    ["the interval", { env: { HEARTBEAT_INTERVAL_MS: "0" } }, "HEARTBEAT_INTERVAL_MS"],
    ["the port", { env: { PORT: "65534" } }, "PORT"],
    ["the server to start", { env: { REDIS_SERVER_PATH: "/no/such/redis-server" } }, "REDIS_SERVER_PATH"],
    ["Redis's URL", { env: { REDIS_URL: "redis://127.0.0.1:8299" } }, "Redis at 127.0.0.1:8299 can't be used"],
  ])("says what is wrong with %s, once", async (_what, options, words) => {
    const demo = startDemo(options);
    expect(await demo.ended).toBe(1);
    expect(wordsOf(demo)[0]).toContain(words);
    expect(wordsOf(demo).length).toBeLessThanOrEqual(2);
    expect(descendantsOf(demo.pid)).toEqual([]);
  });
});
