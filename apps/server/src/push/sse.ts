import type { Presence } from "@presence/protocol";

/**
 * Frames of a `text/event-stream`, as bytes that may be shared by all connections.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */

export interface Frame {
  event: string;
  /** Sent as JSON, which has no line breaks of its own. */
  data: object;
  id?: string;
}

export function encodeFrame({ event, data, id }: Frame): Buffer {
  const idLine = id === undefined ? "" : `id: ${id}\n`;
  return Buffer.from(`${idLine}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}

/**
 * A `snapshot` frame, as `encodeFrame` makes it of a `SnapshotMessage`. Whoever arrives is sent one, and most of what
 * that costs was `JSON.stringify`: put together by hand it is half as much. Ids and states need no escaping.
 *
 * @param at when it was taken, ms since the epoch
 */
export function encodeSnapshot(id: string, at: number, presences: readonly Presence[]): Buffer {
  let contacts = "";
  for (const { client, status, since } of presences) {
    contacts += `${contacts === "" ? "" : ","}{"client":"${client}","status":"${status}","since":${since}}`;
  }
  return Buffer.from(`id: ${id}\nevent: snapshot\ndata: {"at":${at},"contacts":[${contacts}]}\n\n`, "latin1");
}

/** How long a reader should wait before it connects again, in ms. */
export function encodeRetry(retryMs: number): Buffer {
  return Buffer.from(`retry: ${retryMs}\n\n`);
}

/** A comment: readers ignore it, and proxies and watchdogs see that the stream lives. */
export const KEEP_ALIVE_FRAME: Buffer = Buffer.from(": keep-alive\n\n");
