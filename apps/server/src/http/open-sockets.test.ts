import { describe, expect, it } from "vitest";
import { openFilesLimit, socketLimits } from "./open-sockets.ts";

describe("socketLimits", () => {
  it.each([
    [1_024, { forStreams: 896, total: 960 }],
    [1_048_576, { forStreams: 1_048_448, total: 1_048_512 }],
    [64, { forStreams: 1, total: 2 }],
    [Number.POSITIVE_INFINITY, { forStreams: Number.POSITIVE_INFINITY, total: Number.POSITIVE_INFINITY }],
  ])("reserves file descriptors out of %d", (openFiles, limits) => {
    expect(socketLimits(openFiles)).toEqual(limits);
  });
});

it("reads the operating system's limit of open files", () => {
  expect(openFilesLimit()).toBeGreaterThan(100);
});
