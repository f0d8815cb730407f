/**
 * Partitioning of clients over a Redis Cluster. Each client belongs to one of a fixed number of partitions. All keys of a
 * partition are in one slot, so that a function can change them atomically.
 */

const SLOTS = 16_384;
const POLYNOMIAL = 0x1021;
/** A lookup table per byte, because a server computes the partition of every contact of each client that connects. */
const CRC_TABLE = Array.from({ length: 256 }, (_, byte) => crcOfByte(byte));

/** The Redis Cluster slot of keys with this hash tag, or of this key without a hash tag. */
export function slotOf(text: string): number {
  return crc16(text) % SLOTS;
}

/** The partition of a client, from 0 to `partitionCount - 1`. */
export function partitionOf(client: string, partitionCount: number): number {
  return crc16(client) % partitionCount;
}

/**
 * The prefix of each key of a partition: a hash tag. The slots of the partitions are spread evenly, because each primary
 * owns a range of slots.
 */
export function partitionPrefix(partition: number, partitionCount: number): string {
  const firstSlot = Math.ceil((partition * SLOTS) / partitionCount);
  const lastSlot = Math.ceil(((partition + 1) * SLOTS) / partitionCount) - 1;
  for (let attempt = 0; ; attempt += 1) {
    const tag = `${partition}.${attempt}`;
    const slot = slotOf(tag);
    if (slot >= firstSlot && slot <= lastSlot) return `{${tag}}`;
  }
}

/**
 * The CRC16 of Redis Cluster (XMODEM). Ids and hash tags are ASCII, so a character is a byte.
 *
 * `cluster-key-slot` returns only the CRC modulo 16384. With that, `partitionOf` would move clients to other partitions
 * wherever the partition count does not divide 16384, as the default of 12.
 */
function crc16(text: string): number {
  let crc = 0;
  for (let index = 0; index < text.length; index += 1) {
    const byte = text.charCodeAt(index) & 0xff;
    crc = ((crc << 8) & 0xffff) ^ (CRC_TABLE[(crc >> 8) ^ byte] ?? 0);
  }
  return crc;
}

function crcOfByte(byte: number): number {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit += 1) crc = (crc & 0x8000 ? (crc << 1) ^ POLYNOMIAL : crc << 1) & 0xffff;
  return crc;
}
