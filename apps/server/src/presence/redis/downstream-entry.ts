import { isClientId, type PresenceEvent, type Reason } from "@presence/protocol";

/** An event as an entry of a server's stream. */
export interface DownstreamEvent extends PresenceEvent {
  /** Names the event order that it belongs to. */
  epoch: string;
  /** Counts the events on this stream, starting at 1, so that a missing entry is detected. */
  sequence: number;
}

const REASONS: readonly string[] = ["connected", "left", "timed-out", "server-lost"] satisfies Reason[];

/**
 * Parses an entry. External clients may write to the stream too, so every field is checked.
 *
 * @param fields alternating field names and values
 * @returns `undefined` if the entry is not a valid event
 */
export function parseDownstreamEntry(fields: readonly string[]): DownstreamEvent | undefined {
  let client: string | undefined;
  let status: string | undefined;
  let reason: string | undefined;
  let at = Number.NaN;
  let version = Number.NaN;
  let sequence = Number.NaN;
  let epoch = "";
  let due: number | undefined;
  let guest = false;
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const value = fields[index + 1] ?? "";
    switch (fields[index]) {
      case "client":
        client = value;
        break;
      case "status":
        status = value;
        break;
      case "reason":
        reason = value;
        break;
      case "at":
        at = Number(value);
        break;
      case "version":
        version = Number(value);
        break;
      case "sequence":
        sequence = Number(value);
        break;
      case "epoch":
        epoch = value;
        break;
      case "due":
        due = Number(value);
        break;
      case "guest":
        guest = value === "1";
        break;
    }
  }
  if (!isClientId(client) || (status !== "ONLINE" && status !== "OFFLINE") || !isReason(reason)) return undefined;
  if (!isPosition(at) || !isPosition(version) || !isPosition(sequence)) return undefined;
  if (due !== undefined && !isPosition(due)) return undefined;
  const event: DownstreamEvent = { client, status, at, reason, version, sequence, epoch, guest };
  if (due !== undefined) event.lagMs = at - due;
  return event;
}

function isPosition(number: number): boolean {
  return Number.isSafeInteger(number) && number > 0;
}

function isReason(text: string | undefined): text is Reason {
  return text !== undefined && REASONS.includes(text);
}
