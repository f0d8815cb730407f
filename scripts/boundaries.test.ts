import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "..");
const BIOME = join(ROOT, "node_modules/.bin/biome");
const SERVER = "apps/server/src";
const WEB = "apps/web/src";

/** Imports that the linter must reject: the importing file and the imported module. */
const FORBIDDEN: readonly (readonly [file: string, module: string])[] = [
  ["packages/protocol/src/a.ts", "node:fs"],
  ["packages/protocol/src/a.ts", "zod"],
  ["packages/protocol/src/a.ts", "@presence/gears"],
  ["packages/protocol/src/deep/a.ts", "../../../gears/src/index.ts"],
  ["gears/src/host/a.ts", "../../../apps/server/src/config.ts"],
  ["gears/src/host/a.ts", "@presence/testkit"],
  [`${SERVER}/main.ts`, "@presence/testkit"],
  [`${SERVER}/server.ts`, "../test/start-test-server.ts"],
  [`${SERVER}/config.ts`, "./http/admission.ts"],
  [`${SERVER}/metrics.ts`, "./presence/redis/redis-presence-platform.ts"],
  [`${SERVER}/http/a.ts`, "../server.ts"],
  [`${SERVER}/http/a.ts`, "../presence/local/local-presence-platform.ts"],
  [`${SERVER}/http/deep/a.ts`, "../../presence/redis/redis-presence-platform.ts"],
  [`${SERVER}/http/a.ts`, "../contacts/redis-contact-store.ts"],
  [`${SERVER}/http/a.ts`, "../contacts/memory-contact-store.ts"],
  [`${SERVER}/http/a.ts`, "../contacts/contact-store.contract.ts"],
  [`${SERVER}/http/a.ts`, "../sessions/redis-revocations.ts"],
  [`${SERVER}/push/a.ts`, "../http/app.ts"],
  [`${SERVER}/push/deep/a.ts`, "../../http/app.ts"],
  [`${SERVER}/push/a.ts`, "../presence/redis/redis-presence-platform.ts"],
  [`${SERVER}/push/a.ts`, "../sessions/memory-revocations.ts"],
  [`${SERVER}/presence/a.ts`, "./redis/redis-presence-platform.ts"],
  [`${SERVER}/presence/a.ts`, "./local/local-presence-platform.ts"],
  [`${SERVER}/presence/a.ts`, "../push/push-hub.ts"],
  [`${SERVER}/presence/redis/a.ts`, "../../push/push-hub.ts"],
  [`${SERVER}/presence/redis/a.ts`, "../local/local-presence-platform.ts"],
  [`${SERVER}/presence/redis/a.ts`, "../../http/app.ts"],
  [`${SERVER}/presence/local/a.ts`, "../redis/redis-presence-platform.ts"],
  [`${SERVER}/presence/local/a.ts`, "../../main.ts"],
  [`${SERVER}/contacts/a.ts`, "../push/push-hub.ts"],
  [`${SERVER}/contacts/a.ts`, "../presence/redis/redis-presence-platform.ts"],
  [`${SERVER}/sessions/a.ts`, "../http/app.ts"],
  [`${SERVER}/sessions/a.ts`, "../contacts/redis-contact-store.ts"],
  [`${SERVER}/batching/a.ts`, "../push/push-hub.ts"],
  [`${SERVER}/redis/a.ts`, "../presence/redis/redis-presence-platform.ts"],
  [`${WEB}/lib/live/a.ts`, "../../ui/button.tsx"],
  [`${WEB}/lib/a.ts`, "../features/contacts/contact-list.tsx"],
  [`${WEB}/lib/a.ts`, "react"],
  [`${WEB}/ui/a.tsx`, "../features/contacts/contact-list.tsx"],
  [`${WEB}/ui/a.tsx`, "../app/app.tsx"],
  [`${WEB}/features/contacts/a.tsx`, "../demo/demo.tsx"],
  [`${WEB}/features/contacts/deep/a.tsx`, "../../theme/theme.tsx"],
  [`${WEB}/features/contacts/a.tsx`, "../../app/app.tsx"],
  [`${WEB}/features/contacts/a.tsx`, "@presence/gears"],
  [`${WEB}/app/a.tsx`, "@presence/gears"],
  [`${WEB}/app/a.tsx`, "@presence/testkit"],
  ["packages/testkit/src/a.ts", "../../../apps/server/src/server.ts"],
  ["packages/testkit/src/a.ts", "@presence/gears"],
  ["e2e/journeys/a.ts", "@presence/protocol"],
  ["e2e/journeys/a.ts", "../../apps/server/src/config.ts"],
  ["packages/protocol/src/a.ts", "../../../simulation/virtual-time.ts"],
  ["gears/src/host/a.ts", "@presence/simulation"],
  ["gears/src/host/deep/a.ts", "../../../../simulation/virtual-time.ts"],
  [`${SERVER}/main.ts`, "../../../simulation/redis/server.ts"],
  [`${SERVER}/config.ts`, "@presence/simulation"],
  [`${SERVER}/http/a.ts`, "../../../../simulation/virtual-time.ts"],
  [`${SERVER}/presence/local/a.ts`, "../../../../../simulation/virtual-time.ts"],
  [`${WEB}/lib/a.ts`, "@presence/simulation"],
  [`${WEB}/ui/a.tsx`, "@presence/simulation"],
  [`${WEB}/app/a.tsx`, "../../../../simulation/virtual-time.ts"],
  ["packages/testkit/src/a.ts", "@presence/simulation"],
  ["packages/testkit/src/a.ts", "../../../simulation/virtual-time.ts"],
  ["simulation/logic/a.ts", "../../faults/platform/cluster.ts"],
  ["simulation/logic/a.ts", "../../e2e/journeys/a.ts"],
  ["faults/light/a.fault.ts", "../../apps/server/src/server.ts"],
  ["faults/light/a.fault.ts", "@presence/gears"],
];

/** Imports that the linter must accept. */
const ALLOWED: readonly (readonly [file: string, module: string])[] = [
  ["packages/protocol/src/a.ts", "./client-id.ts"],
  ["gears/src/host/a.ts", "@presence/protocol"],
  [`${SERVER}/standalone.ts`, "./presence/local/local-presence-platform.ts"],
  [`${SERVER}/distributed.ts`, "./presence/redis/redis-presence-platform.ts"],
  [`${SERVER}/http/a.ts`, "../push/push-hub.ts"],
  [`${SERVER}/http/a.ts`, "../contacts/directory.ts"],
  [`${SERVER}/http/a.test.ts`, "@presence/testkit"],
  [`${SERVER}/push/a.ts`, "../presence/presence-platform.ts"],
  [`${SERVER}/contacts/a.ts`, "../redis/unwrap-reply.ts"],
  [`${SERVER}/contacts/a.ts`, "./redis-contact-store.ts"],
  [`${SERVER}/sessions/a.ts`, "../redis/unwrap-reply.ts"],
  [`${SERVER}/presence/redis/a.ts`, "../presence-platform.ts"],
  [`${SERVER}/presence/redis/a.ts`, "../../redis/unwrap-reply.ts"],
  [`${WEB}/app/a.tsx`, "../features/contacts/contact-list.tsx"],
  [`${WEB}/features/contacts/a.tsx`, "../../ui/button.tsx"],
  ["simulation/logic/a.ts", "../../gears/src/redis-functions.ts"],
  ["simulation/whole/a.ts", "../../apps/server/src/server.ts"],
  ["simulation/whole/a.ts", "@presence/testkit"],
  ["e2e/journeys/a.ts", "@presence/testkit"],
  ["faults/light/a.fault.ts", "@presence/testkit"],
  ["faults/light/a.fault.ts", "@presence/protocol"],
];

describe("import rules in biome.json", () => {
  const cases = [...FORBIDDEN, ...ALLOWED];
  let folder: string;
  let rejected: Set<string>;

  /** Each case gets its own folder tree, so that several cases can use the same file name. */
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "presence-boundaries-"));
    rejected = new Set();
    const trees = Math.max(...cases.map((_, index) => treeOf(index))) + 1;
    for (let tree = 0; tree < trees; tree += 1) {
      const root = join(folder, String(tree));
      await mkdir(root);
      await copyFile(join(ROOT, "biome.json"), join(root, "biome.json"));
      const inTree = cases.filter((_, index) => treeOf(index) === tree);
      for (const [file, module] of inTree) {
        await mkdir(dirname(join(root, file)), { recursive: true });
        await writeFile(join(root, file), `import { a } from "${module}";\n\nexport const b = a;\n`);
      }
      for (const file of await rejectedFiles(root)) rejected.add(`${tree} ${file}`);
    }
  }, 120_000);

  afterAll(() => rm(folder, { recursive: true }));

  /** The number of earlier cases with the same file. */
  function treeOf(index: number): number {
    return cases.slice(0, index).filter(([file]) => file === cases[index]?.[0]).length;
  }

  it.each(FORBIDDEN.map((each, index) => [...each, index] as const))("reject in %s: %s", (file, _module, index) => {
    expect(rejected).toContain(`${treeOf(index)} ${file}`);
  });

  it.each(ALLOWED.map((each, index) => [...each, index] as const))("accept in %s: %s", (file, _module, index) => {
    expect(rejected).not.toContain(`${treeOf(FORBIDDEN.length + index)} ${file}`);
  });
});

/** The files below `root` with an import that the linter rejects. */
async function rejectedFiles(root: string): Promise<string[]> {
  const args = [
    "lint",
    "--only=style/noRestrictedImports",
    "--vcs-enabled=false",
    "--reporter=json",
    "--max-diagnostics=none",
    ".",
  ];
  const run = promisify(execFile)(BIOME, args, { cwd: root });
  const { stdout } = await run.catch((error: { stdout: string }) => error);
  const { diagnostics } = JSON.parse(stdout) as {
    diagnostics: { category: string; location: { path: string | { file: string } } }[];
  };
  return diagnostics
    .filter(({ category }) => category === "lint/style/noRestrictedImports")
    .map(({ location: { path } }) => (typeof path === "string" ? path : path.file));
}
