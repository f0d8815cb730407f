import { expect, it } from "vitest";
import { formatFigures, replaceFigures } from "./table.ts";

const FIGURES = [
  { fault: "the moon falls", holds: "nobody is hurt", measured: "0 hurt" },
  { fault: "a mouse squeaks", holds: "no", measured: "1 ms" },
];

it("makes a table of the figures, in the order of their faults", () => {
  expect(formatFigures(FIGURES)).toBe(
    [
      "| fault           | what must hold | measured |",
      "| --------------- | -------------- | -------- |",
      "| a mouse squeaks | no             | 1 ms     |",
      "| the moon falls  | nobody is hurt | 0 hurt   |",
    ].join("\n"),
  );
});

it("replaces the figures of a page, and nothing else", () => {
  const page =
    "# Before\n\n<!-- figures: written by npm run faults -- --write -->\n\nold\n\n<!-- end of the figures -->\n\nafter\n";
  const replaced = replaceFigures(page, "new");
  expect(replaced).toBe(page.replace("old", "new"));
  expect(replaceFigures(replaced, "new")).toBe(replaced);
});

it("says where a page has no place for them", () => {
  expect(() => replaceFigures("# Before", "new")).toThrow(/no place for figures/);
});
