import { readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { build } from "esbuild";

/** The limit for all scripts of a first load, compressed by gzip. */
export const FIRST_LOAD_LIMIT_BYTES = 120_000;

export interface FirstLoad {
  /** Paths in the folder of the built web app. */
  scripts: string[];
  /** The size of all scripts, compressed by gzip. */
  gzipBytes: number;
}

/**
 * Finds every script that a browser loads before the first user action: scripts of the page, their imports, and workers.
 *
 * @param folder of the built web app
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

/** The static imports of a script, without dynamic ones. */
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
  const started = readFileSync(join(folder, path), "utf8").matchAll(/[`"']\/(assets\/worker-[\w.-]+\.js)[`"']/g);
  return [...started].map(([, worker = ""]) => worker);
}
