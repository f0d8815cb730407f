import { downstreamKey } from "@presence/protocol";
import type { Redis } from "ioredis";
import { type DownstreamEvent, parseDownstreamEntry } from "./downstream-entry.ts";

/** How long one read blocks, in ms; well below the timeout after which a silent connection is closed. */
const BLOCK_MS = 1_000;
const MAX_ENTRIES = 500;

/** Reads this server's stream. It keeps a cursor, so entries that are added between two reads are not lost. */
export class DownstreamReader {
  readonly #blocking: Redis;
  readonly #key: string;
  #cursor = "0-0";

  constructor(blocking: Redis, server: string) {
    this.#blocking = blocking;
    this.#key = downstreamKey(server);
  }

  /**
   * Returns the next entries, or none if the read timed out. An entry that is no event is `undefined`.
   *
   * @throws if Redis can't be reached
   */
  async read(): Promise<(DownstreamEvent | undefined)[]> {
    const reply = await this.#blocking.xread(
      "COUNT",
      MAX_ENTRIES,
      "BLOCK",
      BLOCK_MS,
      "STREAMS",
      this.#key,
      this.#cursor,
    );
    const entries = reply?.[0]?.[1] ?? [];
    this.#cursor = entries.at(-1)?.[0] ?? this.#cursor;
    return entries.map(([, fields]) => parseDownstreamEntry(fields));
  }

  /** Reads from the start again: the stream may have been recreated, with lower ids. */
  restart(): void {
    this.#cursor = "0-0";
  }
}
