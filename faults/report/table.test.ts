import { expect, it } from "vitest";
import { formatMeasurements, replaceMeasurements } from "./table.ts";

const MEASUREMENTS = [
  { fault: "the network is lost", expected: "no false OFFLINE", measured: "0 of 3" },
  { fault: "a disk is full", expected: "a warning", measured: "1 ms" },
];

it("formats measurements as a table, sorted by fault", () => {
  expect(formatMeasurements(MEASUREMENTS)).toBe(
    [
      "| fault               | expected         | measured |",
      "| ------------------- | ---------------- | -------- |",
      "| a disk is full      | a warning        | 1 ms     |",
      "| the network is lost | no false OFFLINE | 0 of 3   |",
    ].join("\n"),
  );
});

it("replaces only the measurements of a page", () => {
  const page =
    "# Before\n\n<!-- measurements: written by npm run faults -- --write -->\n\nold\n\n<!-- end of the measurements -->\n\nafter\n";
  const replaced = replaceMeasurements(page, "new");
  expect(replaced).toBe(page.replace("old", "new"));
  expect(replaceMeasurements(replaced, "new")).toBe(replaced);
});

it("throws if the page lacks the markers", () => {
  expect(() => replaceMeasurements("# Before", "new")).toThrow(/lacks the markers/);
});
