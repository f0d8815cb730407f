import type { Presence } from "@presence/protocol";

/**
 * Frames of a `text/event-stream`, as bytes that all connections may share.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */

export interface Frame {
  event: string;
  /** Sent as JSON, which contains no line breaks. */
  data: object;
  id?: string;
}

export function encodeFrame({ event, data, id }: Frame): Buffer {
  const idLine = id === undefined ? "" : `id: ${id}\n`;
  return Buffer.from(`${idLine}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}

/**
 * A `snapshot` frame, with the same bytes as `encodeFrame` for a `SnapshotMessage`. Each new stream starts with one, and
 * string concatenation takes half the time of `JSON.stringify`. Ids and statuses need no escaping.
 *
 * @param at when the snapshot was read, ms since the epoch
 */
export function encodeSnapshot(id: string, at: number, presences: readonly Presence[]): Buffer {
  let contacts = "";
  for (const { client, status, since } of presences) {
    contacts += `${contacts === "" ? "" : ","}{"client":"${client}","status":"${status}","since":${since}}`;
  }
  return Buffer.from(`id: ${id}\nevent: snapshot\ndata: {"at":${at},"contacts":[${contacts}]}\n\n`, "latin1");
}

/** @param retryMs how long a reader should wait before it reconnects */
export function encodeRetry(retryMs: number): Buffer {
  return Buffer.from(`retry: ${retryMs}\n\n`);
}

/** A comment. Readers ignore it; proxies and watchdogs see that the stream is alive. */
export const KEEP_ALIVE_FRAME: Buffer = Buffer.from(": keep-alive\n\n");
