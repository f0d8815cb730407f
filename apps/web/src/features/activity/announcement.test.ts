import { expect, it } from "vitest";
import { announcement } from "./announcement.ts";

const nameOf = (client: string) => client.toUpperCase();
const on = (client: string) => ({ client, status: "ONLINE" as const });
const off = (client: string) => ({ client, status: "OFFLINE" as const });

it.each([
  [[], ""],
  [[on("a")], "A came online."],
  [[on("a"), off("b")], "A came online. B left."],
  [[off("a"), off("b")], "A and B left."],
  [[on("a"), on("b"), on("c")], "A and 2 others came online."],
  [[on("a"), off("a")], "A left."],
])("%j", (changes, said) => {
  expect(announcement(changes, nameOf)).toBe(said);
});
