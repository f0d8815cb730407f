import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { createChunkEncoder } from "./chunk.ts";
import type { Outlet } from "./outlet.ts";

/** A large message is handed over in pieces of this size, so that a slow reader's progress can be seen. */
const PIECE_BYTES = 64 * 1024;
const encodeChunk = createChunkEncoder();

/**
 * An SSE response, written to as fast as its reader takes it.
 *
 * When the head has gone, bytes go straight to the socket: Node.js divides each write to a chunked response into four,
 * and finds its way slowly through a response that Express has given another prototype. This way it costs half.
 */
export class ResponseOutlet implements Outlet {
  readonly #response: ServerResponse;
  /** `null` while the response waits for an earlier one on the same connection. */
  readonly #socket: Socket | null;
  readonly #isChunked: boolean;
  #isEnded = false;
  #queue: Buffer[] = [];
  #queuedBytes = 0;
  #isBlocked = false;
  #lastProgressMs = performance.now();

  /** @param response one whose head has been sent */
  constructor(response: ServerResponse) {
    this.#response = response;
    this.#socket = response.socket;
    this.#isChunked = response.chunkedEncoding;
    (this.#socket ?? response).on("drain", () => this.#onDrain());
    // A reset connection also emits `close`, which is all that anyone needs to know.
    response.on("error", () => {});
  }

  get waitingBytes(): number {
    return this.#queuedBytes + this.#unsentBytes;
  }

  get lastProgressMs(): number {
    return this.#isBlocked ? this.#lastProgressMs : performance.now();
  }

  write(bytes: Buffer): void {
    // An empty chunk would be the last.
    if (this.#isEnded || bytes.length === 0) return;
    if (!this.#isBlocked && bytes.length <= PIECE_BYTES) {
      this.#handOver(bytes);
      return;
    }
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
    this.#pump();
  }

  end(): void {
    this.#isEnded = true;
    if (!this.#isBlocked) this.#response.end();
    else this.destroy();
  }

  destroy(): void {
    this.#response.destroy();
  }

  onClose(listener: () => void): void {
    this.#response.once("close", listener);
  }

  #onDrain(): void {
    this.#isBlocked = false;
    this.#lastProgressMs = performance.now();
    this.#pump();
  }

  #pump(): void {
    while (!this.#isBlocked) {
      const piece = this.#takePiece();
      if (!piece) return;
      this.#handOver(piece);
    }
  }

  /** What the operating system took at once is no sign of a slow reader, whatever `write` answers. */
  #handOver(bytes: Buffer): void {
    const wantsMore = this.#socket ? this.#writeTo(this.#socket, bytes) : this.#response.write(bytes);
    if (wantsMore || this.#unsentBytes === 0) return;
    this.#isBlocked = true;
    this.#lastProgressMs = performance.now();
  }

  #writeTo(socket: Socket, bytes: Buffer): boolean {
    return socket.write(this.#isChunked ? encodeChunk(bytes) : bytes);
  }

  /** What the operating system has not taken yet of what was handed over. */
  get #unsentBytes(): number {
    return (this.#socket ?? this.#response).writableLength;
  }

  #takePiece(): Buffer | undefined {
    const next = this.#queue.shift();
    if (!next) return undefined;
    const piece = next.subarray(0, PIECE_BYTES);
    if (next.length > PIECE_BYTES) this.#queue.unshift(next.subarray(PIECE_BYTES));
    this.#queuedBytes -= piece.length;
    return piece;
  }
}
