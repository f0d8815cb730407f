import { type Presence, type Problem, parseStreamMessage, type SnapshotMessage } from "@presence/protocol";

/** A message of one of the streams in a multiplexed response; `channel` is the stream's place in the request. */
export type ChannelMessage = { channel: number; id: string | undefined } & (
  | { kind: "snapshot"; snapshot: SnapshotMessage }
  | { kind: "presence"; presence: Presence }
  | { kind: "end"; problem: Problem }
);

/** Puts the events of one multiplexed response, fed in order, back into the streams they belong to. */
export function createDemultiplexer(channels: number) {
  let current: number | undefined;

  /** What `event` says and to whom, or `undefined` where it says nothing that we understand. */
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
