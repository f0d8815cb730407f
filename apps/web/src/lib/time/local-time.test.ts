import { expect, it } from "vitest";
import { dayAndTime, localTime, placeOf } from "./local-time.ts";

const NOON_UTC = Date.UTC(2026, 0, 15, 12);

it("tells the time elsewhere", () => {
  expect(localTime("Asia/Tokyo", NOON_UTC)).toBe("21:00");
  expect(localTime("Asia/Kolkata", NOON_UTC)).toBe("17:30");
});

it("has no answer for a zone that nobody knows", () => {
  expect(localTime("Mars/Olympus_Mons", NOON_UTC)).toBeUndefined();
});

it("names the place of a zone", () => {
  expect(placeOf("America/Argentina/Buenos_Aires")).toBe("Buenos Aires");
  expect(placeOf("UTC")).toBe("UTC");
});

it("adds the day only where it isn't today", () => {
  expect(dayAndTime(NOON_UTC, NOON_UTC)).toMatch(/^\d\d:\d\d$/);
  expect(dayAndTime(NOON_UTC - 5 * 86_400_000, NOON_UTC)).toMatch(/, \d\d:\d\d$/);
});
