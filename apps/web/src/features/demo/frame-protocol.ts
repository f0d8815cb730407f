/** The messages between the demo page and the clients in its frames, sent with `postMessage` within one origin. */
import { type ClientId, isClientId, type Status } from "@presence/protocol";
import type { ConnectionStatus } from "../../lib/live/link-view.ts";

/** A change of one client's status, as another client received it. */
export interface FrameChange {
  subject: ClientId;
  status: Status;
  /** When it happened, ms since the epoch. */
  sinceMs: number;
  /** When this viewer received it as an event, ms since the epoch; `undefined` if it came with a snapshot. */
  seenAtMs: number | undefined;
}

export type FrameMessage =
  | { kind: "connection"; client: ClientId; state: ConnectionStatus }
  | { kind: "changes"; client: ClientId; changes: FrameChange[] };

export type FrameCommand = "cut-network" | "restore-network" | "sign-out" | "sign-in";

const COMMANDS: readonly string[] = ["cut-network", "restore-network", "sign-out", "sign-in"] satisfies FrameCommand[];
const STATES: readonly string[] = [
  "connecting",
  "live",
  "stale",
  "reconnecting",
  "full",
  "offline",
  "signed-out",
] satisfies ConnectionStatus[];

/** Validates a message. Returns `undefined` for other data, because other scripts post messages too. */
export function parseFrameMessage(data: unknown): FrameMessage | undefined {
  if (!isRecord(data) || !isClientId(data["client"])) return undefined;
  const { client, kind, state, changes } = data;
  if (kind === "connection" && isConnectionStatus(state)) return { kind, client, state };
  if (kind === "changes" && Array.isArray(changes) && changes.every(isFrameChange)) {
    return { kind, client, changes };
  }
  return undefined;
}

/** Validates a command. Returns `undefined` for other data. */
export function parseFrameCommand(data: unknown): FrameCommand | undefined {
  return isRecord(data) && isCommand(data["command"]) ? data["command"] : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function isConnectionStatus(value: unknown): value is ConnectionStatus {
  return typeof value === "string" && STATES.includes(value);
}

function isCommand(value: unknown): value is FrameCommand {
  return typeof value === "string" && COMMANDS.includes(value);
}

function isFrameChange(value: unknown): value is FrameChange {
  return (
    isRecord(value) &&
    isClientId(value["subject"]) &&
    (value["status"] === "ONLINE" || value["status"] === "OFFLINE") &&
    Number.isFinite(value["sinceMs"]) &&
    (value["seenAtMs"] === undefined || Number.isFinite(value["seenAtMs"]))
  );
}
