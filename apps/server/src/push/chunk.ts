const LINE_END = "\r\n";

/** Ends a response in chunked transfer coding (RFC 9112, section 7.1). */
export const LAST_CHUNK = Buffer.from(`0${LINE_END}${LINE_END}`);

/**
 * Creates a function that encodes bytes as one chunk (RFC 9112, section 7.1). It caches the last chunk, because a fan-out
 * writes the same bytes to many connections in a row.
 */
export function createChunkEncoder(): (bytes: Buffer) => Buffer {
  let lastBytes: Buffer | undefined;
  let lastChunk: Buffer = Buffer.alloc(0);
  return (bytes) => {
    if (bytes !== lastBytes) {
      lastBytes = bytes;
      lastChunk = encodeChunk(bytes);
    }
    return lastChunk;
  };
}

function encodeChunk(bytes: Buffer): Buffer {
  const size = Buffer.from(`${bytes.length.toString(16)}${LINE_END}`);
  return Buffer.concat([size, bytes, Buffer.from(LINE_END)]);
}
