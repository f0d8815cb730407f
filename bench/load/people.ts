import { contactKey } from "@presence/protocol";
import { colleagueId } from "../contestants.ts";
import type { RedisProcess } from "../redis-process.ts";

const DOCUMENTS_AT_ONCE = 1_000;

/** Writes contact documents of `size` people, who each have the next ones in the row, which is a circle. */
export async function writePeople({ commands }: RedisProcess, size: number, contacts: number): Promise<void> {
  for (let start = 0; start < size; start += DOCUMENTS_AT_ONCE) {
    const pipeline = commands.pipeline();
    for (let index = start; index < Math.min(size, start + DOCUMENTS_AT_ONCE); index++) {
      const list = Array.from({ length: contacts }, (_, step) => colleagueId((index + step + 1) % size));
      pipeline.set(contactKey(colleagueId(index)), JSON.stringify({ id: colleagueId(index), contacts: list }));
    }
    await pipeline.exec();
  }
}
