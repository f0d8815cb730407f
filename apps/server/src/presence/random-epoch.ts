import { randomBytes } from "node:crypto";

/** A unique name for a new event order: positions of different orders cannot be compared. */
export function randomEpoch(): string {
  return BigInt(`0x${randomBytes(8).toString("hex")}`).toString(36);
}
