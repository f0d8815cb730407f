import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { root } from "../setup/checkout.mjs";

const WORKSPACES = ["gears", "apps/server", "apps/web"];

const BUILD = `import { appendFile, mkdir, readFile, writeFile } from "node:fs/promises";
await appendFile("ROOT/builds.log", "WORKSPACE\\n");
await mkdir("dist", { recursive: true });
await writeFile("dist/main.js", await readFile("src/main.js"));
`;

const SERVER = `import { createServer } from "node:http";
export async function main({ env }) {
  const server = createServer((_, response) => response.end(env.LOG_LEVEL));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: "http://127.0.0.1:" + server.address().port, close: async () => server.close() };
}
`;

/** A project with the real scripts, without dependencies, and with workspaces that are built at once. */
export interface TinyCheckout {
  path: string;
  read(file: string): Promise<string>;
  write(file: string, content: string): Promise<void>;
  /** The workspaces that have been built so far, oldest first. */
  builds(): Promise<string[]>;
  remove(): Promise<void>;
}

/** Nothing is installed or built in it. */
export async function createTinyCheckout(): Promise<TinyCheckout> {
  const path = await mkdtemp(join(tmpdir(), "presence-scripts-"));
  const read = (file: string) => readFile(join(path, file), "utf8");
  const write = async (file: string, content: string) => {
    await mkdir(dirname(join(path, file)), { recursive: true });
    await writeFile(join(path, file), content);
  };
  await cp(join(root, "scripts"), join(path, "scripts"), { recursive: true });
  const manifest = { name: "tiny", workspaces: WORKSPACES };
  await write("package.json", JSON.stringify({ ...manifest, scripts: { start: "node scripts/run.mjs start" } }));
  const packages = WORKSPACES.flatMap((workspace) => [
    [workspace, { name: basename(workspace) }],
    [`node_modules/${basename(workspace)}`, { resolved: workspace, link: true }],
  ]);
  const lock = { name: "tiny", lockfileVersion: 3, packages: { "": manifest, ...Object.fromEntries(packages) } };
  await write("package-lock.json", JSON.stringify(lock));
  for (const workspace of WORKSPACES) {
    const name = basename(workspace);
    await write(
      `${workspace}/package.json`,
      JSON.stringify({ name, type: "module", scripts: { build: "node build.mjs" } }),
    );
    await write(`${workspace}/build.mjs`, BUILD.replace("ROOT", path).replace("WORKSPACE", workspace));
    await write(`${workspace}/src/main.js`, SERVER);
  }
  return {
    path,
    read,
    write,
    builds: async () => (await read("builds.log").catch(() => "")).split("\n").filter(Boolean),
    remove: () => rm(path, { recursive: true, force: true }),
  };
}
