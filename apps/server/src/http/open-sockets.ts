import type { Socket } from "node:net";
import { listenTo } from "../push/taken-socket.ts";

/**
 * Files that are left for all but clients' streams: connections to Redis that have to be made anew, the web app's files,
 * pings and questions of operators. The second half is out of reach of clients altogether.
 */
const RESERVED_FILES = 128;

/** How many sockets clients may hold at once. */
export interface SocketLimits {
  /** With more than these open no further stream begins. */
  forStreams: number;
  /** A further one is closed as soon as it opens. */
  atAll: number;
}

/** @param openFiles how many files, sockets among them, the process may have open */
export function socketLimits(openFiles: number): SocketLimits {
  return {
    forStreams: Math.max(1, openFiles - RESERVED_FILES),
    atAll: Math.max(2, openFiles - RESERVED_FILES / 2),
  };
}

/**
 * How many files the operating system lets this process have open (`ulimit -n`); infinite where it doesn't say.
 *
 * Source: https://nodejs.org/api/report.html
 */
export function openFilesLimit(): number {
  const { userLimits } = process.report.getReport() as { userLimits?: { open_files?: { soft: number | string } } };
  const limit = Number(userLimits?.open_files?.soft);
  return Number.isNaN(limit) ? Number.POSITIVE_INFINITY : limit;
}

/** The sockets that clients have open. Each is a file, and where files run out, nobody is answered at all. */
export class OpenSockets {
  readonly #limits: SocketLimits;
  readonly #onTooMany: () => void;
  #count = 0;
  readonly #forget = () => {
    this.#count -= 1;
  };

  /** @param onTooMany told of each socket that is closed at once */
  constructor(limits: SocketLimits, onTooMany: () => void) {
    this.#limits = limits;
    this.#onTooMany = onTooMany;
  }

  /** Whether what is left has to do for those who are here already. */
  get areCrowded(): boolean {
    return this.#count > this.#limits.forStreams;
  }

  /** A client has opened one. */
  add(socket: Socket): void {
    this.#count += 1;
    listenTo(socket, "close", this.#forget);
    if (this.#count <= this.#limits.atAll) return;
    socket.destroy();
    this.#onTooMany();
  }
}
