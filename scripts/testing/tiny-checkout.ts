import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { root } from "../setup/checkout.mjs";

const WORKSPACE_BUILD = `import { appendFile, mkdir, readFile, writeFile } from "node:fs/promises";
await appendFile("ROOT/builds.log", "WORKSPACE\\n");
await mkdir("dist", { recursive: true });
await writeFile("dist/main.js", await readFile("src/main.js"));
`;

const SERVER = `import { createServer } from "node:http";
export async function main({ argv, env }) {
  if (argv.length > 0) throw new Error("No argument is allowed.");
  const server = createServer((_, response) => response.end(env.LOG_LEVEL));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: "http://127.0.0.1:" + server.address().port, close: async () => server.close() };
}
`;

const LOCK = {
  name: "tiny",
  lockfileVersion: 3,
  packages: {
    "": { name: "tiny", workspaces: ["apps/*", "gears"] },
    gears: { name: "gears" },
    "apps/server": { name: "server" },
    "apps/web": { name: "web" },
    "node_modules/gears": { resolved: "gears", link: true },
    "node_modules/server": { resolved: "apps/server", link: true },
    "node_modules/web": { resolved: "apps/web", link: true },
  },
};

/** A project with our own scripts, no dependencies, and workspaces that are built in no time. */
export interface TinyCheckout {
  path: string;
  read(file: string): Promise<string>;
  write(file: string, content: string): Promise<void>;
  /** Which workspaces have been built so far, oldest first. */
  builds(): Promise<string[]>;
  remove(): Promise<void>;
}

/** @returns one in which nothing has been installed or built yet */
export async function createTinyCheckout(): Promise<TinyCheckout> {
  const path = await mkdtemp(join(tmpdir(), "presence-scripts-"));
  const read = (file: string) => readFile(join(path, file), "utf8");
  const write = async (file: string, content: string) => {
    await mkdir(dirname(join(path, file)), { recursive: true });
    await writeFile(join(path, file), content);
  };
  await cp(join(root, "scripts"), join(path, "scripts"), { recursive: true });
  await write(
    "package.json",
    json({ name: "tiny", workspaces: ["apps/*", "gears"], scripts: { start: "node scripts/start.mjs" } }),
  );
  await write("package-lock.json", json(LOCK));
  for (const workspace of ["apps/server", "apps/web", "gears"]) {
    const name = basename(workspace);
    await write(`${workspace}/package.json`, json({ name, type: "module", scripts: { build: "node build.mjs" } }));
    await write(`${workspace}/build.mjs`, WORKSPACE_BUILD.replace("ROOT", path).replace("WORKSPACE", workspace));
    await write(`${workspace}/src/main.js`, SERVER);
  }
  return {
    path,
    read,
    write,
    builds: async () => {
      const log = await read("builds.log").catch(() => "");
      return log.split("\n").filter(Boolean);
    },
    remove: () => rm(path, { recursive: true, force: true }),
  };
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
