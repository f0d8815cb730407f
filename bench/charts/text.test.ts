import { describe, expect, it } from "vitest";
import { escapeXml, widthOf, wrap } from "./text.ts";

describe("wrap", () => {
  it("breaks at spaces, and loses nothing", () => {
    const text = "a name of so many words that no line has room for all of them";
    const lines = wrap(text, 150, 14);
    expect(lines.length).toBeGreaterThan(2);
    expect(lines.join(" ")).toBe(text);
    for (const line of lines) expect(widthOf(line, 14)).toBeLessThanOrEqual(150);
  });

  it("breaks a word that has no room on any line", () => {
    const lines = wrap(`one ${"w".repeat(40)} more`, 150, 14);
    expect(lines.join("").replaceAll(" ", "")).toBe(`one${"w".repeat(40)}more`);
    for (const line of lines) expect(widthOf(line, 14)).toBeLessThanOrEqual(150);
  });

  it("leaves what has room as it is", () => {
    expect(wrap("short", 150, 14)).toEqual(["short"]);
  });
});

describe("escapeXml", () => {
  it("takes the meaning from each letter that has one", () => {
    expect(escapeXml(`<a b="c" d='e'>&`)).toBe("&#60;a b=&#34;c&#34; d=&#39;e&#39;&#62;&#38;");
  });
});
