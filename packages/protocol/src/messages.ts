/**
 * The messages of the SSE stream, as they stand in its `data:` lines.
 *
 * A stream begins with a `snapshot` (or, when a reader resumes, with what it missed) and goes on with one `presence` a
 * change. A multiplexed stream carries several clients' streams over one response and puts a `channel` message before
 * each run of messages that belong to another client than the last ones did.
 */
import { isClientId } from "./client-id.ts";
import type { Presence } from "./presence.ts";
import type { Problem } from "./problem.ts";

export interface SnapshotMessage {
  /** When it was taken, ms since the epoch, by the platform's clock. */
  at: number;
  contacts: Presence[];
}

export type PresenceMessage = Presence;

/** From here on, messages belong to the stream at this place in the request's list. */
export interface ChannelMessage {
  channel: number;
}

/** This channel's stream was refused or has ended; the others go on. */
export interface ChannelEndMessage {
  channel: number;
  problem: Problem;
}

export type StreamMessage =
  | { event: "snapshot"; data: SnapshotMessage }
  | { event: "presence"; data: PresenceMessage }
  | { event: "channel"; data: ChannelMessage }
  | { event: "channel-end"; data: ChannelEndMessage };

/** What asks for a multiplexed stream: the body of `POST /api/events`. */
export interface MultiplexRequest {
  streams: StreamRequest[];
}

export interface StreamRequest {
  token: string;
  /** The last `id:` seen on this client's stream, to resume from. */
  lastEventId?: string;
}

/** One request carries at most this many streams. */
export const MAX_CHANNELS = 32;

/**
 * The message that a parsed SSE event holds, or `undefined` where it is none of ours or malformed: a reader ignores what
 * it doesn't understand, as the SSE specification does with unknown fields.
 */
export function parseStreamMessage(event: string | undefined, data: string): StreamMessage | undefined {
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    return undefined;
  }
  switch (event) {
    case "snapshot":
      return isSnapshot(value) ? { event, data: value } : undefined;
    case "presence":
      return isPresence(value) ? { event, data: value } : undefined;
    case "channel":
      return isChannel(value) ? { event, data: value } : undefined;
    case "channel-end":
      return isChannelEnd(value) ? { event, data: value } : undefined;
    default:
      return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function isPresence(value: unknown): value is Presence {
  return (
    isRecord(value) &&
    isClientId(value["client"]) &&
    (value["status"] === "ONLINE" || value["status"] === "OFFLINE") &&
    Number.isFinite(value["since"])
  );
}

function isSnapshot(value: unknown): value is SnapshotMessage {
  return (
    isRecord(value) &&
    Number.isFinite(value["at"]) &&
    Array.isArray(value["contacts"]) &&
    value["contacts"].every(isPresence)
  );
}

function isChannel(value: unknown): value is ChannelMessage {
  return isRecord(value) && Number.isInteger(value["channel"]);
}

function isChannelEnd(value: unknown): value is ChannelEndMessage {
  return isChannel(value) && "problem" in value && isRecord(value.problem);
}
