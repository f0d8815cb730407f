import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { onTestFinished } from "vitest";

export const INDEX_HTML = "<!doctype html><title>Presence</title>\n";
export const SCRIPT = "document.title += '!';\n";
export const STYLES = "body { margin: 0 }\n".repeat(100);
/** The content of files that must not be served. */
export const SECRET = "secret-file-content";

/** Creates a folder like the web app's build output. It is removed at the end of the test. */
export async function createWebAppFolder(): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), "presence-web-app-"));
  onTestFinished(() => rm(parent, { recursive: true }));
  const folder = join(parent, "dist");
  await mkdir(join(folder, "assets"), { recursive: true });
  await writeFile(join(parent, "secret.txt"), SECRET);
  await writeFile(join(folder, ".env"), SECRET);
  await writeFile(join(folder, "index.html"), INDEX_HTML);
  await writeFile(join(folder, "favicon.svg"), "<svg xmlns='http://www.w3.org/2000/svg'/>");
  await writeFile(join(folder, "assets", "app-1a2b3c.js"), SCRIPT);
  await writeFile(join(folder, "assets", "app-4d5e6f.css"), STYLES);
  for (const name of ["index.html", "assets/app-1a2b3c.js", "assets/app-4d5e6f.css"]) {
    const content = await readFile(join(folder, name));
    await writeFile(join(folder, `${name}.br`), brotliCompressSync(content));
    await writeFile(join(folder, `${name}.gz`), gzipSync(content));
  }
  return folder;
}
