import { ReplyError } from "./reply.ts";

/** Position of an entry: milliseconds, then a sequence number. */
export interface StreamId {
  ms: number;
  sequence: number;
}

export interface StreamEntry {
  id: StreamId;
  /** Fields and values in turn. */
  fields: readonly string[];
}

/** A consumer group: its position, and entries that were delivered but not acknowledged yet. */
export interface ConsumerGroup {
  lastDelivered: StreamId;
  pending: Map<string, PendingEntry>;
}

export interface PendingEntry {
  id: StreamId;
  consumer: string;
  deliveredMs: number;
}

/** A Redis stream. Approximate trimming removes whole nodes only, as Redis does (`stream-node-max-entries`). */
export interface Stream {
  entries: StreamEntry[];
  /** How many entries each node holds that is still there; the last one may be partly filled. */
  nodeSizes: number[];
  lastId: StreamId;
  groups: Map<string, ConsumerGroup>;
}

const ENTRIES_PER_NODE = 100;

export function createStream(): Stream {
  return { entries: [], nodeSizes: [], lastId: { ms: 0, sequence: 0 }, groups: new Map() };
}

export function formatStreamId({ ms, sequence }: StreamId): string {
  return `${ms}-${sequence}`;
}

export function compareStreamIds(a: StreamId, b: StreamId): number {
  return a.ms - b.ms || a.sequence - b.sequence;
}

/**
 * @param missingSequence what an id without a sequence number gets
 * @throws {ReplyError} for anything that is no stream id
 */
export function parseStreamId(text: string | undefined, missingSequence: number): StreamId {
  const [, ms, sequence] = /^([0-9]{1,16})(?:-([0-9]{1,16}))?$/.exec(text ?? "") ?? [];
  if (ms === undefined) throw new ReplyError("ERR Invalid stream ID specified as stream command argument");
  return { ms: Number(ms), sequence: sequence === undefined ? missingSequence : Number(sequence) };
}

/**
 * The id that `XADD` gives to its entry.
 *
 * @param text `*`, `ms-*`, or a complete id
 * @param nowMs the server's clock
 */
export function nextStreamId(stream: Stream, text: string, nowMs: number): StreamId {
  const { lastId } = stream;
  if (text === "*") {
    return nowMs > lastId.ms ? { ms: nowMs, sequence: 0 } : { ms: lastId.ms, sequence: lastId.sequence + 1 };
  }
  const isOpen = text.endsWith("-*");
  const id = parseStreamId(isOpen ? text.slice(0, -2) : text, 0);
  if (isOpen) id.sequence = id.ms === lastId.ms ? lastId.sequence + 1 : 0;
  if (compareStreamIds(id, lastId) <= 0) {
    throw new ReplyError("ERR The ID specified in XADD is equal or smaller than the target stream top item");
  }
  return id;
}

export function appendEntry(stream: Stream, entry: StreamEntry): void {
  stream.entries.push(entry);
  stream.lastId = entry.id;
  const last = stream.nodeSizes.length - 1;
  const size = stream.nodeSizes[last];
  if (size === undefined || size >= ENTRIES_PER_NODE) stream.nodeSizes.push(1);
  else stream.nodeSizes[last] = size + 1;
}

/**
 * Removes the oldest entries while `isObsolete` holds for them.
 *
 * @param isApproximate whether only whole nodes go
 * @returns how many were removed
 */
export function trimStream(
  stream: Stream,
  isObsolete: (entry: StreamEntry, remaining: number) => boolean,
  isApproximate: boolean,
): number {
  let count = 0;
  while (count < stream.entries.length) {
    const entry = stream.entries[count];
    if (entry === undefined || !isObsolete(entry, stream.entries.length - count)) break;
    count += 1;
  }
  if (isApproximate) {
    let whole = 0;
    for (const size of stream.nodeSizes) {
      if (whole + size > count) break;
      whole += size;
    }
    count = whole;
  }
  stream.entries.splice(0, count);
  removeFromNodes(stream, count);
  return count;
}

function removeFromNodes(stream: Stream, count: number): void {
  let left = count;
  while (left > 0) {
    const [first = 0] = stream.nodeSizes;
    if (first <= left) stream.nodeSizes.shift();
    else stream.nodeSizes[0] = first - left;
    left -= Math.min(first, left);
  }
}

/** The entries whose ids are greater than `id`, the oldest first. */
export function entriesAfter(stream: Stream, id: StreamId): StreamEntry[] {
  return stream.entries.filter((entry) => compareStreamIds(entry.id, id) > 0);
}
