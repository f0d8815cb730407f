import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { TestServer } from "../test/start-test-server.ts";

const MAIN = fileURLToPath(new URL("./main.ts", import.meta.url));
/** The shutdown takes 1.5 s at most; the rest is slack for a slow machine. */
const STOP_WITHIN_MS = 5_000;

// Starting the program takes many seconds on a busy machine.
describe("the server's process", { timeout: 60_000 }, () => {
  it("serves with its arguments, and exits cleanly and soon on SIGINT with an open stream", async () => {
    const process = start({ PORT: "0", HOST: "127.0.0.1" }, ["--contacts", "100"]);
    const server = await process.listening();
    const stream = await server.openTerminalStream("anouk");
    expect((await stream.snapshot()).contacts).toHaveLength(100);

    const startMs = performance.now();
    process.kill("SIGINT");
    expect(await stream.over).toBe("ended");
    expect(await process.exit).toEqual({ code: 0, signal: null });
    expect(performance.now() - startMs).toBeLessThan(STOP_WITHIN_MS);
    expect(process.stderr).toBe("");
    expect(process.stdout.trimEnd().split("\n").at(-1)).toContain('"msg":"stopped"');
  });

  it("exits cleanly on SIGTERM", async () => {
    const process = start({ PORT: "0", HOST: "127.0.0.1" });
    await process.listening();
    process.kill("SIGTERM");
    expect(await process.exit).toEqual({ code: 0, signal: null });
  });

  it("prints one line for an invalid setting", async () => {
    const process = start({ PORT: "eighty" });
    expect((await process.exit).code).toBe(1);
    expect(process.stderr).toBe('PORT must be a whole number from 0 to 65535, not "eighty".\n');
    expect(process.stdout).toBe("");
  });

  it("prints one line if the port is in use", async () => {
    const other = createServer();
    onTestFinished(() => {
      other.close();
    });
    other.listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    const process = start({ PORT: String(port), HOST: "127.0.0.1", LOG_LEVEL: "warn" });
    expect((await process.exit).code).toBe(1);
    expect(process.stderr).toBe(
      `Port ${port} is in use. Stop the program that uses it, or choose another port: PORT=${port + 1} npm start.\n`,
    );
    expect(process.stdout).toBe("");
  });
});

const nothing = () => Promise.resolve();

/** The program, started in a child process. */
class ServerProcess {
  readonly exit: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  stdout = "";
  stderr = "";
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;

  constructor(child: ChildProcessByStdio<null, Readable, Readable>) {
    this.#child = child;
    child.stdout.on("data", (chunk: Buffer) => {
      this.stdout += chunk;
    });
    child.stderr.on("data", (chunk: Buffer) => {
      this.stderr += chunk;
    });
    this.exit = once(child, "close").then(([code, signal]) => ({ code, signal }));
  }

  /** Resolves with the server when its log names the port. */
  async listening(): Promise<TestServer> {
    for (;;) {
      const port = /"port":(\d+)/.exec(this.stdout)?.[1];
      if (port !== undefined) return new TestServer(`http://127.0.0.1:${port}`, { drain: nothing, close: nothing });
      if (this.#child.exitCode !== null) throw new Error(`the process exited: ${this.stderr}`);
      await delay(20);
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}

function start(env: Record<string, string>, argv: readonly string[] = []): ServerProcess {
  const child = spawn(process.execPath, ["--import", "tsx", MAIN, ...argv], {
    env: { PATH: process.env["PATH"], ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  return new ServerProcess(child);
}
