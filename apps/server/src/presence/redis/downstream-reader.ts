import { downstreamKey } from "@presence/protocol";
import type { Redis } from "ioredis";
import { type DownstreamEvent, parseDownstreamEntry } from "./downstream-entry.ts";

/** How long one read blocks, in ms: well below the silence from which on a connection counts as dead. */
const BLOCK_MS = 1_000;
const MAX_ENTRIES = 500;

/** Reads this server's stream from a cursor of its own: what comes between two reads is not lost. */
export class DownstreamReader {
  readonly #blocking: Redis;
  readonly #key: string;
  #cursor = "0-0";

  constructor(blocking: Redis, server: string) {
    this.#blocking = blocking;
    this.#key = downstreamKey(server);
  }

  /**
   * The next entries, or none where nothing came for a while.
   *
   * @throws where Redis can't be reached
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

  /** The stream may have begun anew, with lower ids. */
  restart(): void {
    this.#cursor = "0-0";
  }
}
