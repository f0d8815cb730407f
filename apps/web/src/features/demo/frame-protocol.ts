/** What the demo page and the clients in its frames tell each other, by `postMessage` within one origin. */
import { type ClientId, isClientId, type Status } from "@presence/protocol";
import type { ConnectionWord } from "../../lib/live/link-view.ts";

/** What one client knows of another. */
export interface FrameSighting {
  subject: ClientId;
  status: Status;
  /** When it happened, ms since the epoch. */
  sinceMs: number;
  /** When this viewer saw it happen, ms since the epoch; `undefined` where it came with a snapshot. */
  seenAtMs: number | undefined;
}

export type FrameMessage =
  | { kind: "connection"; client: ClientId; state: ConnectionWord }
  | { kind: "sightings"; client: ClientId; sightings: FrameSighting[] };

export type FrameCommand = "cut-network" | "restore-network" | "sign-out" | "sign-in";

const COMMANDS: readonly string[] = ["cut-network", "restore-network", "sign-out", "sign-in"] satisfies FrameCommand[];
const STATES: readonly string[] = [
  "connecting",
  "live",
  "reconnecting",
  "full",
  "offline",
  "signed-out",
] satisfies ConnectionWord[];

/** The message that `data` is, or `undefined`: other scripts post to windows too. */
export function parseFrameMessage(data: unknown): FrameMessage | undefined {
  if (!isRecord(data) || !isClientId(data["client"])) return undefined;
  const { client, kind, state, sightings } = data;
  if (kind === "connection" && isConnectionWord(state)) return { kind, client, state };
  if (kind === "sightings" && Array.isArray(sightings) && sightings.every(isSighting)) {
    return { kind, client, sightings };
  }
  return undefined;
}

export function parseFrameCommand(data: unknown): FrameCommand | undefined {
  return isRecord(data) && isCommand(data["command"]) ? data["command"] : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function isConnectionWord(value: unknown): value is ConnectionWord {
  return typeof value === "string" && STATES.includes(value);
}

function isCommand(value: unknown): value is FrameCommand {
  return typeof value === "string" && COMMANDS.includes(value);
}

function isSighting(value: unknown): value is FrameSighting {
  return (
    isRecord(value) &&
    isClientId(value["subject"]) &&
    (value["status"] === "ONLINE" || value["status"] === "OFFLINE") &&
    Number.isFinite(value["sinceMs"]) &&
    (value["seenAtMs"] === undefined || Number.isFinite(value["seenAtMs"]))
  );
}
