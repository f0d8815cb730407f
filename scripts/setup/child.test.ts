import { expect, it } from "vitest";
import { run } from "./child.mjs";

it.each([
  ["the exit status", 'process.exit(process.env.ADDED === "yes" && process.env.PATH ? 7 : 1)', 7, "exit status 7"],
  ["1 for a child that a signal ended", 'process.kill(process.pid, "SIGKILL")', 1, "SIGKILL"],
])("returns %s", async (_, code, status, reason) => {
  const end = await run(process.execPath, ["-e", code], { env: { ADDED: "yes" } });
  expect(end).toEqual({ status, reason, timedOut: false });
});

it("returns why a command cannot be started", async () => {
  expect(await run("/no/such/command", [])).toMatchObject({ status: 1, reason: expect.stringContaining("ENOENT") });
});

it("stops a command that takes too long and ignores signals, and its children", async () => {
  const stubborn = ["-c", "trap '' INT TERM; sleep 1000; true"];
  // The pipe stays open as long as one of the processes lives.
  const end = await run("sh", stubborn, { timeoutMs: 1_000, stdio: ["ignore", "pipe", "pipe"] });
  expect(end).toEqual({ status: 1, reason: "SIGKILL", timedOut: true });
});
