import { fileURLToPath } from "node:url";
import { type Contestant, peerProgram } from "./server-process.ts";

/** A contestant, and where others' presence can be watched at it. `/events/{id}` is a client at each of them. */
export interface Watchable extends Contestant {
  watchPath(index: number): string;
}

/** People of the built-in roster; each may have any number of connections. */
const PEOPLE = ["anouk", "magali", "omar"];

/** The realtime server as it is built and shipped. */
export const OURS: Watchable = {
  name: "ours",
  program: fileURLToPath(new URL("../apps/server/dist/main.js", import.meta.url)),
  watchPath: (index) => `/events/${PEOPLE[index % PEOPLE.length]}`,
};

/** Roster people count as contacts too, so that a roster needs a few more contacts than colleagues. */
const ROSTER_MARGIN = 50;

/** Ours with at least `count` more people, of 32 contacts each, whom everyone in the built-in roster sees. */
export function oursWithColleagues(count: number): Watchable {
  return { ...OURS, args: ["--contacts", String(count + ROSTER_MARGIN)] };
}

/** The stream of one of these people. */
export function colleaguePath(index: number): string {
  return `/events/${colleagueId(index)}`;
}

export function colleagueId(index: number): string {
  return `colleague-${String(index + 1).padStart(5, "0")}`;
}

export const BARE_HTTP: Watchable = {
  name: "node:http, res.write each",
  program: peerProgram("bare-http"),
  watchPath: () => "/watch",
};

export const BETTER_SSE: Watchable = {
  name: "better-sse 0.16, channel",
  program: peerProgram("better-sse"),
  watchPath: () => "/watch",
};

export const PEERS: readonly Watchable[] = [BETTER_SSE, BARE_HTTP];
