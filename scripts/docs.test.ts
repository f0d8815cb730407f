import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseConfig } from "../apps/server/src/config.ts";
import { root } from "./setup/checkout.mjs";

const DOCUMENTS = [
  "README.md",
  ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];

function read(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

/** What GitHub makes of a heading, to be linked to. */
function anchorsIn(text: string): string[] {
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => heading);
  return headings.map((heading) =>
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

describe("the documentation", () => {
  it.each(DOCUMENTS)("%s links to what is there", (document) => {
    for (const link of localLinksIn(read(document))) {
      const [path = "", anchor] = link.split("#");
      const target = path === "" ? document : join(dirname(document), path);
      expect(() => readdirOrRead(target), `${document} → ${link}`).not.toThrow();
      if (anchor !== undefined) expect(anchorsIn(read(target)), `${document} → ${link}`).toContain(anchor);
    }
  });

  it("lists every command that there is", () => {
    const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
    const commands = Object.keys(scripts).map((name) =>
      ["start", "test"].includes(name) ? `npm ${name}` : `npm run ${name}`,
    );
    const told = read("docs/contract.md") + read("docs/development.md");
    const ofNpmTest = ["npm run build", "npm run unit"];
    expect(commands.filter((command) => !told.includes(`\`${command}`) && !ofNpmTest.includes(command))).toEqual([]);
  });

  it("lists every variable that a server looks at, and no other", () => {
    const names = new Set<string>();
    parseConfig(new Proxy({}, { get: (_target, name) => void names.add(String(name)) }), []);
    const [, table = ""] = read("docs/contract.md").split("## Environment");
    const listed = [...table.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, name]) => name);
    expect(listed.sort()).toEqual([...names].sort());
  });
});

function readdirOrRead(path: string): unknown {
  return path.endsWith("/") ? readdirSync(join(root, path)) : read(path);
}
