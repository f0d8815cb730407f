import type { Socket } from "node:net";
import { listenTo } from "../push/taken-socket.ts";

/**
 * File descriptors that are not available for streams: connections to Redis, files of the web app, pings, and operators'
 * requests need them. Half of them are not available to clients at all.
 */
const RESERVED_FILES = 128;

/** How many client sockets may be open at the same time. */
export interface SocketLimits {
  /** Above this number, new streams are refused. */
  forStreams: number;
  /** Above this number, a new socket is closed immediately. */
  total: number;
}

/** @param openFiles how many file descriptors (sockets included) the process may have open */
export function socketLimits(openFiles: number): SocketLimits {
  return {
    forStreams: Math.max(1, openFiles - RESERVED_FILES),
    total: Math.max(2, openFiles - RESERVED_FILES / 2),
  };
}

/**
 * The operating system's limit of open files for this process (`ulimit -n`); infinite if it is unknown.
 *
 * Source: https://nodejs.org/api/report.html
 */
export function openFilesLimit(): number {
  const { userLimits } = process.report.getReport() as { userLimits?: { open_files?: { soft: number | string } } };
  const limit = Number(userLimits?.open_files?.soft);
  return Number.isNaN(limit) ? Number.POSITIVE_INFINITY : limit;
}

/** Counts client sockets. Each uses a file descriptor; without free ones the server could not answer any request. */
export class OpenSockets {
  readonly #limits: SocketLimits;
  readonly #onTooMany: () => void;
  #count = 0;
  readonly #remove = () => {
    this.#count -= 1;
  };

  /** @param onTooMany called for each socket that is closed because there are too many */
  constructor(limits: SocketLimits, onTooMany: () => void) {
    this.#limits = limits;
    this.#onTooMany = onTooMany;
  }

  /** Whether new streams must be refused. */
  get areCrowded(): boolean {
    return this.#count > this.#limits.forStreams;
  }

  /** Counts a new socket, and closes it if there are too many. */
  add(socket: Socket): void {
    this.#count += 1;
    listenTo(socket, "close", this.#remove);
    if (this.#count <= this.#limits.total) return;
    socket.destroy();
    this.#onTooMany();
  }
}
