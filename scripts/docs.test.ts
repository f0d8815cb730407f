import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseConfig } from "../apps/server/src/config.ts";
import { root } from "./setup/checkout.mjs";

const BUILT = /(^|\/)(dist|node_modules|\.cache)(\/|$)/;
const FILES = listFiles("");
const FOLDERS = new Set(
  FILES.map(dirname).flatMap((path) => path.split("/").map((_, i, parts) => parts.slice(0, i + 1).join("/"))),
);
const BASENAMES = new Set(FILES.map((path) => basename(path)));
const DOCUMENTS = FILES.filter((path) => path === "README.md" || /^docs\/.*\.md$/.test(path));
const SCRIPTS = Object.keys((JSON.parse(read("package.json")) as { scripts: object }).scripts);

function listFiles(below: string): string[] {
  return readdirSync(join(root, below), { withFileTypes: true }).flatMap((entry) => {
    const path = join(below, entry.name);
    if (BUILT.test(path) || entry.name === ".git") return [];
    return entry.isDirectory() ? listFiles(path) : [path];
  });
}

function read(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

/** The anchors that GitHub gives to the headings. */
function anchorsIn(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, "")
      .replaceAll(" ", "-"),
  );
}

/** Links into this repository, outside of code. */
function localLinksIn(text: string): string[] {
  const prose = text.replace(/^```[\s\S]*?^```/gm, "").replace(/`[^`]*`/g, "");
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => link).filter((link) => !/^\w+:/.test(link));
}

/** Paths below a folder of the root, and bare names of source files. Placeholders such as `NAME.json` are none. */
function pathsIn(text: string): string[] {
  const code = [...text.matchAll(/`([\w.@/-]+)`/g)].map(([, path = ""]) => path.replace(/\/$/, ""));
  return code.filter((path) => {
    const [first = "", ...others] = path.split("/");
    if (BUILT.test(path) || /[A-Z]{4,}(?!\.md)/.test(basename(path))) return false;
    return others.length > 0
      ? first !== "." && FOLDERS.has(first)
      : /^[a-z][a-z0-9.-]*\.(ts|tsx|mjs|yml|conf|acl)$/.test(path);
  });
}

describe("the documentation", () => {
  it.each(DOCUMENTS)("%s links to existing files and headings", (document) => {
    for (const link of localLinksIn(read(document))) {
      const [path = "", anchor] = link.split("#");
      const target = path === "" ? document : join(dirname(document), path);
      expect(statSync(join(root, target), { throwIfNoEntry: false }), `${document} → ${link}`).toBeDefined();
      if (anchor !== undefined) expect(anchorsIn(read(target)), `${document} → ${link}`).toContain(anchor);
    }
  });

  it.each(DOCUMENTS)("%s names only files and npm scripts that exist", (document) => {
    const text = read(document);
    const exists = (path: string) =>
      path.includes("/") ? FILES.includes(path) || FOLDERS.has(path) : BASENAMES.has(path);
    expect(pathsIn(text).filter((path) => !exists(path))).toEqual([]);
    const scripts = [...text.matchAll(/\bnpm run (?:--\S+ )*([\w:-]+)/g)].map(([, script = ""]) => script);
    expect(scripts.filter((script) => !SCRIPTS.includes(script))).toEqual([]);
  });

  it("lists every npm script", () => {
    const listed = read("docs/contract.md") + read("docs/development.md");
    const commands = SCRIPTS.filter((name) => !["build", "unit"].includes(name)).map((name) =>
      ["start", "test"].includes(name) ? `npm ${name}` : `npm run ${name}`,
    );
    expect(commands.filter((command) => !listed.includes(`\`${command}`))).toEqual([]);
  });

  it("lists exactly the environment variables that a server reads", () => {
    const names = new Set<string>();
    parseConfig(new Proxy({}, { get: (_target, name) => void names.add(String(name)) }), []);
    const [, table = ""] = read("docs/contract.md").split("## Environment");
    const listed = [...table.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, name]) => name);
    expect(listed.sort()).toEqual([...names].sort());
  });
});
