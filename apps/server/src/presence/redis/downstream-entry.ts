import { isClientId, type PresenceEvent, type Reason } from "@presence/protocol";

/** An event as it stands on a server's stream. */
export interface DownstreamEvent extends PresenceEvent {
  /** Names the order of events that it belongs to. */
  epoch: string;
  /** Counts the entries of this stream, from 1: a gap shows. */
  sequence: number;
  /** How long after the end of the lease it was published, in ms; for those whose lease ran out. */
  lagMs?: number;
}

const REASONS: readonly string[] = ["connected", "left", "timed-out", "server-lost"] satisfies Reason[];

/**
 * @param fields fields and values in turn
 * @returns `undefined` where it is no event of ours: anyone may write to a stream
 */
export function parseDownstreamEntry(fields: readonly string[]): DownstreamEvent | undefined {
  const values = new Map<string, string>();
  for (let index = 0; index + 1 < fields.length; index += 2) values.set(fields[index] ?? "", fields[index + 1] ?? "");
  const client = values.get("client");
  const status = values.get("status");
  const reason = values.get("reason");
  const at = Number(values.get("at"));
  const version = Number(values.get("version"));
  const sequence = Number(values.get("sequence"));
  const epoch = values.get("epoch") ?? "";
  if (!isClientId(client) || (status !== "ONLINE" && status !== "OFFLINE") || !isReason(reason)) return undefined;
  if (![at, version, sequence].every((number) => Number.isSafeInteger(number) && number > 0)) return undefined;
  const due = values.get("due");
  return {
    client,
    status,
    at,
    reason,
    version,
    sequence,
    epoch,
    guest: values.get("guest") === "1",
    ...(due !== undefined && { lagMs: at - Number(due) }),
  };
}

function isReason(text: string | undefined): text is Reason {
  return text !== undefined && REASONS.includes(text);
}
