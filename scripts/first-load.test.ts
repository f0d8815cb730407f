import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { build } from "esbuild";
import { expect, it } from "vitest";
import { root } from "./setup/checkout.mjs";

/** As it is built and served. */
const WEB_APP = join(root, "apps/web/dist");
const LIMIT_BYTES = 120_000;

/** Every script that a browser fetches before anybody has done anything: what the page names, what that imports, and workers. */
async function scriptsOfFirstLoad(): Promise<string[]> {
  const page = readFileSync(join(WEB_APP, "index.html"), "utf8");
  const named = [...page.matchAll(/<(?:script|link rel="modulepreload")[^>]*? (?:src|href)="\/([^"]+)"/g)];
  const scripts = new Set<string>();
  const waiting = named.map(([, path = ""]) => path);
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (scripts.has(path)) continue;
    scripts.add(path);
    waiting.push(...(await importsOf(path)), ...workersOf(path));
  }
  return [...scripts];
}

/** Those that are loaded together with it, and none that waits to be asked for. */
async function importsOf(path: string): Promise<string[]> {
  const { metafile } = await build({
    absWorkingDir: WEB_APP,
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

function workersOf(path: string): string[] {
  const started = readFileSync(join(WEB_APP, path), "utf8").matchAll(/new URL\([`"']\/(assets\/[\w.-]+\.js)[`"']/g);
  return [...started].map(([, worker = ""]) => worker);
}

it("first loads no more than 120 kB of compressed script", async () => {
  const scripts = await scriptsOfFirstLoad();
  expect(scripts).toEqual(
    expect.arrayContaining([
      "theme.js",
      expect.stringMatching(/^assets\/index-.+\.js$/),
      expect.stringMatching(/^assets\/worker-.+\.js$/),
    ]),
  );
  const bytes = scripts.map((path) => statSync(join(WEB_APP, `${path}.gz`)).size);
  expect(bytes.reduce((sum, each) => sum + each, 0)).toBeLessThanOrEqual(LIMIT_BYTES);
});

it("has each script, style and page compressed, by either coding", () => {
  const names = readdirSync(WEB_APP, { recursive: true, encoding: "utf8" });
  const texts = names.filter((name) => /\.(?:css|html|js)$/.test(name));
  expect(texts).toEqual(expect.arrayContaining(["index.html", expect.stringMatching(/\.css$/)]));
  for (const name of texts) {
    const content = readFileSync(join(WEB_APP, name));
    expect(gunzipSync(readFileSync(join(WEB_APP, `${name}.gz`)))).toEqual(content);
    expect(brotliDecompressSync(readFileSync(join(WEB_APP, `${name}.br`)))).toEqual(content);
  }
});
