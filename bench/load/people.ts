import { contactKey } from "@presence/protocol";
import { colleagueId } from "../contestants.ts";
import type { RedisProcess } from "../redis-process.ts";

const DOCUMENTS_AT_ONCE = 1_000;

export interface People {
  size: number;
  /** How many each has. */
  contacts: number;
  /** Who is a person's contact, `step` from 1. */
  contactOf: (index: number, step: number) => string;
}

/** The next ones in the row, which is a circle. */
export function nextOnes(size: number): People["contactOf"] {
  return (index, step) => colleagueId((index + step) % size);
}

/** Writes contact documents. */
export async function writePeople({ commands }: RedisProcess, { size, contacts, contactOf }: People): Promise<void> {
  for (let start = 0; start < size; start += DOCUMENTS_AT_ONCE) {
    const pipeline = commands.pipeline();
    for (let index = start; index < Math.min(size, start + DOCUMENTS_AT_ONCE); index++) {
      const list = Array.from({ length: contacts }, (_, step) => contactOf(index, step + 1));
      pipeline.set(contactKey(colleagueId(index)), JSON.stringify({ id: colleagueId(index), contacts: list }));
    }
    await pipeline.exec();
  }
}

/** Writes one person's contact document. */
export async function writeDocument(
  { commands }: RedisProcess,
  client: string,
  contacts: readonly string[],
): Promise<void> {
  await commands.set(contactKey(client), JSON.stringify({ id: client, contacts }));
}
