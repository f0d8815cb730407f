import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { cache, root } from "../setup/checkout.mjs";
import { runQuietly } from "../setup/child.mjs";
import { playwrightCli } from "../setup/playwright.mjs";
import { broken, describeTally, sum, tallyCheck, tallyPlaywright, tallyVitest } from "./tally.mjs";

let folder: string;

beforeEach(async () => {
  await mkdir(cache, { recursive: true });
  folder = await mkdtemp(join(cache, "tally-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

function write(name: string, content: string): Promise<void> {
  return writeFile(join(folder, name), content);
}

describe("a run of Vitest", () => {
  async function run({ retry = 0 } = {}) {
    await write("vitest.config.mjs", `export default { test: { include: ["*.test.mjs"], retry: ${retry} } };`);
    const report = join(folder, "report.json");
    const args = ["run", "--root", folder, "--reporter=json", `--outputFile=${report}`];
    const { ok } = await runQuietly(process.execPath, [join(root, "node_modules/vitest/vitest.mjs"), ...args]);
    return tallyVitest(JSON.parse(await readFile(report, "utf8")), ok);
  }

  it("counts what passed, failed and was skipped", async () => {
    await write(
      "mixed.test.mjs",
      `import { expect, it } from "vitest";
      it("passes", () => {});
      it("passes too", () => {});
      it("fails", () => expect(1).toBe(2));
      it.skip("is skipped", () => {});
      it.todo("is to do");`,
    );
    expect(await run()).toEqual({ passed: 2, failed: 1, skipped: 2 });
  });

  it("counts a test that passes at the second try, and says so", async () => {
    await write(
      "flaky.test.mjs",
      `import { expect, it } from "vitest";
      let tries = 0;
      it("passes", () => {});
      it("is flaky", () => expect(++tries).toBe(2));
      it("fails", () => expect(1).toBe(2));`,
    );
    expect(await run({ retry: 1 })).toEqual({ passed: 2, failed: 1, skipped: 0, note: "1 at the second try" });
  });

  it("counts a file that can't be loaded", async () => {
    await write("good.test.mjs", 'import { it } from "vitest"; it("passes", () => {});');
    await write("bad.test.mjs", 'import "./missing.mjs";');
    expect(await run()).toEqual({ passed: 1, failed: 1, skipped: 0 });
  });

  it("counts an error outside of all tests", async () => {
    await write(
      "stray.test.mjs",
      `import { it } from "vitest";
      it("passes", async () => {
        void Promise.reject(new Error("nobody waits for this"));
        await new Promise((resolve) => setTimeout(resolve, 50));
      });`,
    );
    expect(await run()).toMatchObject({ passed: 1, failed: 1 });
  });

  it("counts no test at all as a failure", async () => {
    expect(await run()).toMatchObject({ passed: 0, failed: 1 });
  });

  it("counts nothing but skipped tests as a failure", async () => {
    await write("skipped.test.mjs", 'import { it } from "vitest"; it.skip("is skipped", () => {});');
    expect(await run()).toEqual({ passed: 0, failed: 1, skipped: 1, note: "ran no test" });
  });
});

describe("a run of Playwright", () => {
  async function run(config = "") {
    await write("playwright.config.mjs", `export default { testMatch: "*.pw.mjs", ${config} };`);
    const report = join(folder, "report.json");
    const { ok } = await runQuietly(process.execPath, [playwrightCli(), "test", "--reporter=json"], {
      cwd: folder,
      env: { PLAYWRIGHT_JSON_OUTPUT_FILE: report },
    });
    return tallyPlaywright(JSON.parse(await readFile(report, "utf8")), ok);
  }

  it("counts what passed, failed and was skipped", async () => {
    await write(
      "mixed.pw.mjs",
      `import { expect, test } from "@playwright/test";
      test("passes", () => {});
      test("fails", () => expect(1).toBe(2));
      test.skip("is skipped", () => {});`,
    );
    expect(await run()).toEqual({ passed: 1, failed: 1, skipped: 1 });
  });

  it("counts a test that passes at the second try as failed", async () => {
    await write(
      "flaky.pw.mjs",
      `import { expect, test } from "@playwright/test";
      test("passes", () => {});
      test("is flaky", ({}, { retry }) => expect(retry).toBe(1));`,
    );
    expect(await run("retries: 1")).toEqual({ passed: 1, failed: 1, skipped: 0 });
  });

  it("counts a file that can't be loaded", async () => {
    await write("bad.pw.mjs", 'import "./missing.mjs";');
    expect(await run()).toMatchObject({ passed: 0, failed: 1 });
  });

  it("counts no test at all as a failure", async () => {
    expect(await run()).toMatchObject({ passed: 0, failed: 1 });
  });
});

describe("the sum", () => {
  it("adds up all suites, a broken one as one failure", () => {
    const tallies = [tallyCheck(true), tallyCheck(false), broken("crashed"), { passed: 40, failed: 2, skipped: 3 }];
    expect(sum(tallies)).toEqual({ passed: 41, failed: 4, skipped: 3 });
  });

  it.each([
    [{ passed: 12, failed: 0, skipped: 0 }, "12 passed, 0 failed"],
    [{ passed: 0, failed: 1, skipped: 0 }, "0 passed, 1 failed"],
    [{ passed: 12, failed: 3, skipped: 4 }, "12 passed, 3 failed, 4 skipped"],
  ])("is one line: %j", (tally, line) => {
    expect(describeTally(tally)).toBe(line);
  });
});
