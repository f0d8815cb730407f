const LINE_END = "\r\n";

/** What ends such a response (RFC 9112, section 7.1). */
export const LAST_CHUNK = Buffer.from(`0${LINE_END}${LINE_END}`);

/**
 * Makes a function that frames bytes as one chunk of a response in chunked transfer coding (RFC 9112, section 7.1).
 *
 * Connections are written the same bytes one after the other: these are framed once.
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
