import { describe, expect, it } from "vitest";
import { FrameBatch } from "./frame-batch.ts";

const [one, two, three] = ["one", "two", "three"].map((text) => Buffer.from(text)) as [Buffer, Buffer, Buffer];

describe("FrameBatch", () => {
  it("has the bytes of its frames, in their order", () => {
    const row = FrameBatch.start().with(one).with(two).with(three);
    expect(row.bytes.toString()).toBe("onetwothree");
    expect(row.byteLength).toBe(11);
    expect(FrameBatch.start().bytes).toHaveLength(0);
  });

  it("is one object for all who are owed the same", () => {
    const start = FrameBatch.start();
    const rows = [start, start, start].map((row) => row.with(one)).map((row) => row.with(three));
    expect(new Set(rows).size).toBe(1);
    expect(new Set(rows.map(({ bytes }) => bytes)).size).toBe(1);
  });

  it("is another one for those who are owed something else", () => {
    const start = FrameBatch.start();
    let [left, middle, right] = [start, start, start];
    left = left.with(one);
    right = right.with(one);
    middle = middle.with(two);
    left = left.with(two);
    right = right.with(three);
    middle = middle.with(three);
    expect([left, middle, right].map(({ bytes }) => bytes.toString())).toEqual(["onetwo", "twothree", "onethree"]);
  });

  it("makes no copy of a frame that is alone", () => {
    expect(FrameBatch.start().with(two).bytes).toBe(two);
  });
});
