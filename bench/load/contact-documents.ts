import { contactKey } from "@presence/protocol";
import type { RedisProcess } from "../setup/redis-process.ts";
import { colleagueId } from "./colleagues.ts";

const BATCH = 1_000;

/** Writes the contact document of each client. */
export async function writeContacts(
  { commands }: RedisProcess,
  clients: readonly string[],
  contactsOf: (index: number) => readonly string[] = () => [],
): Promise<void> {
  for (let start = 0; start < clients.length; start += BATCH) {
    const pipeline = commands.pipeline();
    clients.slice(start, start + BATCH).forEach((id, offset) => {
      pipeline.set(contactKey(id), JSON.stringify({ id, contacts: contactsOf(start + offset) }));
    });
    await pipeline.exec();
  }
}

/** The contacts of a colleague: the next `count` of `size` colleagues in a circle. */
export function nextColleagues(index: number, count: number, size: number): string[] {
  return Array.from({ length: count }, (_, step) => colleagueId((index + step + 1) % size));
}
