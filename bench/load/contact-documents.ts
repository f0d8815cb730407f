import { contactKey } from "@presence/protocol";
import { colleagueId } from "../setup/programs.ts";
import type { RedisProcess } from "../setup/redis-process.ts";

const BATCH = 1_000;

/** Writes the contact documents of `count` colleagues. */
export async function writeColleagues(
  { commands }: RedisProcess,
  count: number,
  contactsOf: (index: number) => readonly string[],
): Promise<void> {
  for (let start = 0; start < count; start += BATCH) {
    const pipeline = commands.pipeline();
    for (let index = start; index < Math.min(count, start + BATCH); index++) {
      pipeline.set(...documentOf(colleagueId(index), contactsOf(index)));
    }
    await pipeline.exec();
  }
}

/** The contacts of a colleague: the next `count` of `size` colleagues in a circle. */
export function nextColleagues(index: number, count: number, size: number): string[] {
  return Array.from({ length: count }, (_, step) => colleagueId((index + step + 1) % size));
}

export async function writeDocument(redis: RedisProcess, client: string, contacts: readonly string[]): Promise<void> {
  await redis.commands.set(...documentOf(client, contacts));
}

function documentOf(client: string, contacts: readonly string[]): [key: string, document: string] {
  return [contactKey(client), JSON.stringify({ id: client, contacts })];
}
