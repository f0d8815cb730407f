import {
  type Presence,
  type Problem,
  parseStreamMessage,
  type SnapshotMessage,
  type StreamMessage,
} from "@presence/protocol";

/** A message of one stream in a multiplexed response. `channel` is the stream's index in the request. */
export type ChannelMessage = { channel: number; id: string | undefined } & (
  | Content
  | { kind: "end"; problem: Problem }
);

type Content =
  | { kind: "snapshot"; snapshot: SnapshotMessage }
  | { kind: "presence"; presence: Presence }
  /** presence can't be read; `atMs`: until when the statuses were right, ms since the epoch */
  | { kind: "stale"; atMs: number };

/** Assigns the events of one multiplexed response, given in order, to their streams. */
export function createDemultiplexer(channels: number) {
  let current: number | undefined;

  /** Returns the channel's message, or `undefined` for a `channel` event and events of unknown type or invalid data. */
  return function demultiplex(event: {
    event?: string | undefined;
    id?: string | undefined;
    data: string;
  }): ChannelMessage | undefined {
    const message = parseStreamMessage(event.event, event.data);
    if (message === undefined) return undefined;
    switch (message.event) {
      case "channel":
        current = inRange(message.data.channel) ? message.data.channel : undefined;
        return undefined;
      case "channel-end":
        return inRange(message.data.channel)
          ? { channel: message.data.channel, id: event.id, kind: "end", problem: message.data.problem }
          : undefined;
      default:
        return current === undefined ? undefined : { channel: current, id: event.id, ...contentOf(message) };
    }
  };

  function inRange(channel: number): boolean {
    return channel >= 0 && channel < channels;
  }
}

function contentOf(message: Extract<StreamMessage, { event: "snapshot" | "presence" | "stale" }>): Content {
  switch (message.event) {
    case "snapshot":
      return { kind: "snapshot", snapshot: message.data };
    case "presence":
      return { kind: "presence", presence: message.data };
    case "stale":
      return { kind: "stale", atMs: message.data.at };
  }
}
