const OPENING_BRACE = "{".charCodeAt(0);
/** One in each byte of a word. */
const ONES = 0x01010101;
const LOW_BITS = 0x7f * ONES;
const HIGH_BIT = 7;
const WORD_BYTES = 4;
const LAST_BYTE_SHIFT = 24;

/**
 * Counts the opening braces in the first `length` bytes, four bytes at a time. Byte by byte, counting would be most of a
 * reader's work in a large burst.
 *
 * @param buffer is aligned to a word in memory
 */
export function countBraces(buffer: Buffer, length: number): number {
  const wholeWords = Math.floor(length / WORD_BYTES);
  const words = new Uint32Array(buffer.buffer, buffer.byteOffset, wholeWords);
  let count = 0;
  for (let index = 0; index < wholeWords; index++) {
    // Zero in each byte that is a brace.
    const differences = (words[index] ?? 0) ^ (OPENING_BRACE * ONES);
    const notZero = ((differences & LOW_BITS) + LOW_BITS) | differences | LOW_BITS;
    const braces = ~notZero >>> HIGH_BIT;
    count += Math.imul(braces, ONES) >>> LAST_BYTE_SHIFT;
  }
  for (let index = wholeWords * WORD_BYTES; index < length; index++) if (buffer[index] === OPENING_BRACE) count++;
  return count;
}
