import { expect, it } from "vitest";
import { prepareEntries } from "./contact-layout.ts";
import { contactByKey, positionRows, topIn } from "./row-positions.ts";

const positions = positionRows(
  [
    {
      status: "ONLINE",
      entries: prepareEntries([
        { id: "a", name: "A" },
        { id: "b", name: "B" },
      ]),
    },
    { status: "OFFLINE", entries: prepareEntries([{ id: "c", name: "C" }]) },
  ],
  40,
  60,
);

it("stacks headings and rows", () => {
  expect(positions.lines.map(({ top }) => top)).toEqual([0, 40, 100, 160, 200]);
  expect(positions.sections).toEqual([
    { top: 0, height: 160, headingIndex: 0 },
    { top: 160, height: 100, headingIndex: 3 },
  ]);
  expect(positions.height).toBe(260);
  expect(positions.indexOf.get("c")).toBe(4);
});

it("gives an empty section the height of one row", () => {
  const { lines, height } = positionRows([{ status: "ONLINE", entries: [] }], 40, 60);
  expect(lines.map(({ kind }) => kind)).toEqual(["heading", "note"]);
  expect(height).toBe(100);
});

it("finds the previous position of a line", () => {
  const before = positionRows([{ status: "OFFLINE", entries: prepareEntries([{ id: "b", name: "B" }]) }], 40, 60);
  expect(positions.lines.map((line) => topIn(before, line))).toEqual([undefined, undefined, 40, 0, undefined]);
});

it.each([
  [undefined, "ArrowDown", "a"],
  ["b", "ArrowDown", "c"],
  ["c", "ArrowDown", "c"],
  ["a", "ArrowUp", "a"],
  ["a", "PageDown", "c"],
  ["c", "Home", "a"],
  ["a", "End", "c"],
  ["a", "x", undefined],
])("from %s, %s goes to %s", (current, key, expected) => {
  expect(contactByKey(positions, current, key, 5)).toBe(expected);
});

it("returns undefined in an empty list", () => {
  expect(contactByKey(positionRows([], 40, 60), undefined, "ArrowDown", 5)).toBeUndefined();
});
