import { afterEach, beforeEach, expect, it, onTestFinished } from "vitest";
import { runInTerminal } from "../testing/terminal.ts";
import { createTinyCheckout, type TinyCheckout } from "../testing/tiny-checkout.ts";

const SUITES_OF_ALL_SORTS = {
  test: "node scripts/test.mjs",
  lint: 'node -e ""',
  types: 'node -e "process.exit(2)"',
  "dead-code": 'node -e ""',
  advisories: 'node -e "process.exit(2)"',
  unit: "node no-such-file.mjs",
};

let checkout: TinyCheckout;

beforeEach(async () => {
  checkout = await createTinyCheckout();
  await changeManifest({ scripts: SUITES_OF_ALL_SORTS });
});

afterEach(async () => {
  await checkout.remove();
});

async function changeManifest(change: object): Promise<void> {
  const manifest = JSON.parse(await checkout.read("package.json"));
  await checkout.write("package.json", JSON.stringify({ ...manifest, ...change }));
}

async function npmTest() {
  const command = runInTerminal(["npm", "test"], { cwd: checkout.path });
  onTestFinished(command.kill);
  const status = await command.ended;
  return { status, output: command.output() };
}

it("runs every suite, whatever becomes of the others, and ends with the sum", async () => {
  const { status, output } = await npmTest();
  expect(status).toBe(1);
  expect(output).toMatch(/\n2 passed, 4 failed\n$/);
  expect(output).toMatch(/^ {2}lint .*1 passed, 0 failed$/m);
  expect(output).toMatch(/^ {2}types .*0 passed, 1 failed$/m);
  expect(output).toMatch(/^ {2}advisories .*0 passed, 0 failed \(not known\)$/m);
  expect(output).toMatch(/^ {2}unit and integration .*0 passed, 1 failed \(crashed\)$/m);
  expect(output).toMatch(/^ {2}end to end .*0 passed, 1 failed \(could not run\)$/m);
  expect(output).toMatch(/^ {2}faults .*0 passed, 1 failed \(could not run\)$/m);
});

it("runs what can be run when the build fails, and counts that too", async () => {
  await checkout.write("apps/web/build.mjs", 'throw new Error("no");');
  const { status, output } = await npmTest();
  expect(status).toBe(1);
  expect(output).toMatch(/\n2 passed, 5 failed\n$/);
});

it("ends with a sum even if nothing can be installed", async () => {
  await changeManifest({ dependencies: { "not-locked": "1.0.0" } });
  const { status, output } = await npmTest();
  expect(status).toBe(1);
  expect(output).toMatch(/npm could not install/);
  expect(output).toMatch(/\n0 passed, 1 failed\n$/);
});
