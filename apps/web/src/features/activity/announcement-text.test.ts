import { expect, it } from "vitest";
import { announcementText } from "./announcement-text.ts";

const nameOf = (client: string) => client.toUpperCase();
const on = (client: string) => ({ client, status: "ONLINE" as const });
const off = (client: string) => ({ client, status: "OFFLINE" as const });

it.each([
  [[], ""],
  [[on("a")], "A came online."],
  [[on("a"), off("b")], "A came online. B went offline."],
  [[off("a"), off("b")], "A and B went offline."],
  [[on("a"), on("b"), on("c")], "A and 2 others came online."],
  [[on("a"), off("a")], "A went offline."],
])("%j", (changes, text) => {
  expect(announcementText(changes, nameOf)).toBe(text);
});
