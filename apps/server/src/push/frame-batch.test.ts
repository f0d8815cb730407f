import { describe, expect, it } from "vitest";
import { FrameBatch } from "./frame-batch.ts";

const [one, two, three] = ["one", "two", "three"].map((text) => Buffer.from(text)) as [Buffer, Buffer, Buffer];

describe("FrameBatch", () => {
  it("concatenates its frames in order", () => {
    const batch = FrameBatch.empty().with(one).with(two).with(three);
    expect(batch.bytes.toString()).toBe("onetwothree");
    expect(batch.byteLength).toBe(11);
    expect(FrameBatch.empty().bytes).toHaveLength(0);
  });

  it("shares one object between equal batches", () => {
    const empty = FrameBatch.empty();
    const batches = [empty, empty, empty].map((batch) => batch.with(one)).map((batch) => batch.with(three));
    expect(new Set(batches).size).toBe(1);
    expect(new Set(batches.map(({ bytes }) => bytes)).size).toBe(1);
  });

  it("creates separate objects for different batches", () => {
    const empty = FrameBatch.empty();
    let [left, middle, right] = [empty, empty, empty];
    left = left.with(one);
    right = right.with(one);
    middle = middle.with(two);
    left = left.with(two);
    right = right.with(three);
    middle = middle.with(three);
    expect([left, middle, right].map(({ bytes }) => bytes.toString())).toEqual(["onetwo", "twothree", "onethree"]);
  });

  it("does not copy a single frame", () => {
    expect(FrameBatch.empty().with(two).bytes).toBe(two);
  });
});
