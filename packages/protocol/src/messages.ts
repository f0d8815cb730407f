/**
 * The messages of the SSE stream: the JSON of its `data:` lines.
 *
 * A stream begins with a `snapshot`, or with the missed events if the reader resumes. One `presence` message per change
 * follows. A `stale` message says that the server can't read presence at the moment; the next `snapshot` ends this. A
 * multiplexed stream carries the streams of several clients over one response. In it, a `channel` message precedes the
 * messages of another client.
 */
import { isClientId } from "./client-id.ts";
import type { Presence } from "./presence.ts";
import type { Problem } from "./problem.ts";

export interface SnapshotMessage {
  /** When the snapshot was taken, in ms since the epoch by the platform's clock. */
  at: number;
  contacts: Presence[];
}

export type PresenceMessage = Presence;

/** The statuses may be out of date from now on, until the next `snapshot`. The stream stays open. */
export interface StaleMessage {
  /** The last moment at which the statuses were known to be right, in ms since the epoch by the platform's clock. */
  at: number;
}

/** The following messages belong to the stream at this index of the request's list. */
export interface ChannelMessage {
  channel: number;
}

/** This channel's stream was rejected or has ended. The other channels continue. */
export interface ChannelEndMessage {
  channel: number;
  problem: Problem;
}

export type StreamMessage =
  | { event: "snapshot"; data: SnapshotMessage }
  | { event: "presence"; data: PresenceMessage }
  | { event: "stale"; data: StaleMessage }
  | { event: "channel"; data: ChannelMessage }
  | { event: "channel-end"; data: ChannelEndMessage };

/** The body of `POST /api/events`, which requests a multiplexed stream. */
export interface MultiplexRequest {
  streams: StreamRequest[];
}

export interface StreamRequest {
  token: string;
  /** The last `id:` received on this client's stream, to resume from. */
  lastEventId?: string;
}

/** The maximum number of streams per request. */
export const MAX_CHANNELS = 32;

/**
 * Parses the data of an SSE event. Returns `undefined` for an unknown event and for malformed data, so that readers ignore
 * both, like unknown fields in the SSE specification.
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
    case "stale":
      return isStale(value) ? { event, data: value } : undefined;
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

function isStale(value: unknown): value is StaleMessage {
  return isRecord(value) && Number.isFinite(value["at"]);
}

function isChannel(value: unknown): value is ChannelMessage {
  return isRecord(value) && Number.isInteger(value["channel"]);
}

function isChannelEnd(value: unknown): value is ChannelEndMessage {
  return isChannel(value) && "problem" in value && isRecord(value.problem);
}
