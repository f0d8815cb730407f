/**
 * How clients are spread over a Redis Cluster: each belongs to one of a fixed number of partitions, and all keys of a
 * partition lie in one slot, so that they change in one step.
 */

const SLOTS = 16_384;
const POLYNOMIAL = 0x1021;
/** Of each byte: a server looks up the partition of every contact of whoever connects. */
const REMAINDERS = Array.from({ length: 256 }, (_, byte) => remainderOf(byte));

/** The slot in which Redis Cluster puts keys that carry this text as their hash tag, or that are this text. */
export function slotOf(text: string): number {
  return checksum(text) % SLOTS;
}

/** Which partition a client belongs to, whichever process asks; from 0. */
export function partitionOf(client: string, partitionCount: number): number {
  return checksum(client) % partitionCount;
}

/**
 * What each key of a partition begins with: its hash tag. The slots of all partitions lie as far apart as can be, as
 * primaries hold ranges of slots.
 */
export function partitionPrefix(partition: number, partitionCount: number): string {
  const least = Math.ceil((partition * SLOTS) / partitionCount);
  const most = Math.ceil(((partition + 1) * SLOTS) / partitionCount) - 1;
  for (let attempt = 0; ; attempt += 1) {
    const tag = `${partition}.${attempt}`;
    const slot = slotOf(tag);
    if (slot >= least && slot <= most) return `{${tag}}`;
  }
}

/** CRC16 as Redis Cluster has it (XMODEM), of ASCII alone: ids and tags are nothing else. */
function checksum(text: string): number {
  let crc = 0;
  for (let index = 0; index < text.length; index += 1) {
    const byte = text.charCodeAt(index) & 0xff;
    crc = ((crc << 8) & 0xffff) ^ (REMAINDERS[(crc >> 8) ^ byte] ?? 0);
  }
  return crc;
}

function remainderOf(byte: number): number {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc & 0x8000 ? (crc << 1) ^ POLYNOMIAL : crc << 1) & 0xffff;
  return crc;
}
