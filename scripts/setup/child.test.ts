import { expect, it } from "vitest";
import { runQuietly } from "./child.mjs";

function node(code: string, options?: Parameters<typeof runQuietly>[2]) {
  return runQuietly(process.execPath, ["-e", code], options);
}

it("keeps both streams", async () => {
  const result = await node('console.log("out"); console.error("err")');
  expect(result).toMatchObject({ ok: true, status: 0, timedOut: false });
  expect(result.output).toContain("out\n");
  expect(result.output).toContain("err\n");
});

it("passes on the exit status", async () => {
  expect(await node("process.exit(7)")).toMatchObject({ ok: false, status: 7 });
});

it("counts a child that a signal ended as failed", async () => {
  expect(await node('process.kill(process.pid, "SIGKILL")')).toMatchObject({ ok: false, status: 1 });
});

it("says why a command can't be started", async () => {
  const result = await runQuietly("/no/such/command", []);
  expect(result).toMatchObject({ ok: false, status: 1 });
  expect(result.output).toContain("ENOENT");
});

it("adds to the environment", async () => {
  const { output } = await node("console.log(process.env.ADDED, process.env.PATH === undefined)", {
    env: { ADDED: "yes" },
  });
  expect(output).toBe("yes false\n");
});

it("ends a child that takes too long, one that won't listen, and its children", async () => {
  const stubborn = 'process.on("SIGINT", () => {}); process.on("SIGTERM", () => {}); setInterval(() => {}, 1_000);';
  // As long as one of them lives, the output is open.
  const parent = `${stubborn}
    require("node:child_process").spawn(process.execPath, ["-e", ${JSON.stringify(stubborn)}], { stdio: "inherit" });`;
  expect(await node(parent, { timeoutMs: 500, graceMs: 100 })).toMatchObject({ ok: false, timedOut: true });
});
