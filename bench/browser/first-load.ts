import { readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { build } from "esbuild";

/** What the scripts of a first load may come to, by gzip. */
export const FIRST_LOAD_LIMIT_BYTES = 120_000;

export interface FirstLoad {
  /** Inside the folder of the built web app. */
  scripts: string[];
  /** Of all of them, by gzip. */
  gzipBytes: number;
}

/**
 * Every script that a browser fetches before anybody has done anything: what the page names, what that imports, and
 * workers.
 *
 * @param folder of the built web app, as it is served
 */
export async function measureFirstLoad(folder: string): Promise<FirstLoad> {
  const page = readFileSync(join(folder, "index.html"), "utf8");
  const named = [...page.matchAll(/<(?:script|link rel="modulepreload")[^>]*? (?:src|href)="\/([^"]+)"/g)];
  const scripts = new Set<string>();
  const waiting = named.map(([, path = ""]) => path);
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (scripts.has(path)) continue;
    scripts.add(path);
    waiting.push(...(await importsOf(folder, path)), ...workersOf(folder, path));
  }
  const bytes = [...scripts].map((path) => statSync(join(folder, `${path}.gz`)).size);
  return { scripts: [...scripts], gzipBytes: bytes.reduce((sum, each) => sum + each, 0) };
}

/** Those that are loaded together with it, and none that waits to be asked for. */
async function importsOf(folder: string, path: string): Promise<string[]> {
  const { metafile } = await build({
    absWorkingDir: folder,
    entryPoints: [path],
    bundle: true,
    format: "esm",
    write: false,
    metafile: true,
    plugins: [
      {
        name: "only-this-file",
        setup: ({ onResolve }) =>
          onResolve({ filter: /^\.{0,2}\// }, ({ kind, path: imported }) =>
            kind === "entry-point" ? undefined : { path: imported, external: true },
          ),
      },
    ],
  });
  const imports = Object.values(metafile.inputs).flatMap((input) => input.imports);
  return imports
    .filter(({ kind }) => kind === "import-statement")
    .map((imported) => join(dirname(path), imported.path));
}

function workersOf(folder: string, path: string): string[] {
  const started = readFileSync(join(folder, path), "utf8").matchAll(/new URL\([`"']\/(assets\/[\w.-]+\.js)[`"']/g);
  return [...started].map(([, worker = ""]) => worker);
}
