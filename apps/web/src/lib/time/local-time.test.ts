import { expect, it } from "vitest";
import { dayAndTime, localTime, placeOf } from "./local-time.ts";

const NOON_UTC = Date.UTC(2026, 0, 15, 12);

it("formats the time in another time zone", () => {
  expect(localTime("Asia/Tokyo", NOON_UTC)).toBe("21:00");
  expect(localTime("Asia/Kolkata", NOON_UTC)).toBe("17:30");
});

it("returns undefined for an unknown time zone", () => {
  expect(localTime("Mars/Olympus_Mons", NOON_UTC)).toBeUndefined();
});

it("returns the place of a time zone", () => {
  expect(placeOf("America/Argentina/Buenos_Aires")).toBe("Buenos Aires");
  expect(placeOf("UTC")).toBe("UTC");
});

it("adds the day unless it is today", () => {
  expect(dayAndTime(NOON_UTC, NOON_UTC)).toMatch(/^\d\d:\d\d$/);
  expect(dayAndTime(NOON_UTC - 5 * 86_400_000, NOON_UTC)).toMatch(/, \d\d:\d\d$/);
});
