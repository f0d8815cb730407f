import { type Presence, type Problem, parseStreamMessage, type SnapshotMessage } from "@presence/protocol";

/** A message of one stream in a multiplexed response. `channel` is the stream's index in the request. */
export type ChannelMessage = { channel: number; id: string | undefined } & (
  | { kind: "snapshot"; snapshot: SnapshotMessage }
  | { kind: "presence"; presence: Presence }
  | { kind: "end"; problem: Problem }
);

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
    switch (message?.event) {
      case "channel":
        current = inRange(message.data.channel) ? message.data.channel : undefined;
        return undefined;
      case "channel-end":
        return inRange(message.data.channel)
          ? { channel: message.data.channel, id: event.id, kind: "end", problem: message.data.problem }
          : undefined;
      case "snapshot":
        return current === undefined
          ? undefined
          : { channel: current, id: event.id, kind: "snapshot", snapshot: message.data };
      case "presence":
        return current === undefined
          ? undefined
          : { channel: current, id: event.id, kind: "presence", presence: message.data };
      default:
        return undefined;
    }
  };

  function inRange(channel: number): boolean {
    return channel >= 0 && channel < channels;
  }
}
