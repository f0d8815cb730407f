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

/** How long a reader should wait before it connects again, in ms. */
export function encodeRetry(retryMs: number): Buffer {
  return Buffer.from(`retry: ${retryMs}\n\n`);
}

/** A comment: readers ignore it, and proxies and watchdogs see that the stream lives. */
export const KEEP_ALIVE_FRAME: Buffer = Buffer.from(": keep-alive\n\n");
