import type { ServerResponse } from "node:http";
import type { Outlet } from "./outlet.ts";

/** A large message is handed over in pieces of this size, so that a slow reader's progress can be seen. */
const PIECE_BYTES = 64 * 1024;

/** An SSE response, written to as fast as its reader takes it. */
export class ResponseOutlet implements Outlet {
  readonly #response: ServerResponse;
  #queue: Buffer[] = [];
  #queuedBytes = 0;
  #isBlocked = false;
  #lastProgressMs = performance.now();

  constructor(response: ServerResponse) {
    this.#response = response;
    response.on("drain", () => this.#onResponseDrain());
    // A reset connection also emits `close`, which is all that anyone needs to know.
    response.on("error", () => {});
  }

  get waitingBytes(): number {
    return this.#queuedBytes + this.#response.writableLength;
  }

  get lastProgressMs(): number {
    return this.#isBlocked ? this.#lastProgressMs : performance.now();
  }

  write(bytes: Buffer): void {
    if (this.#response.writableEnded) return;
    if (!this.#isBlocked && bytes.length <= PIECE_BYTES) {
      this.#handOver(bytes);
      return;
    }
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
    this.#pump();
  }

  end(): void {
    if (!this.#isBlocked) this.#response.end();
    else this.destroy();
  }

  destroy(): void {
    this.#response.destroy();
  }

  onClose(listener: () => void): void {
    this.#response.once("close", listener);
  }

  #onResponseDrain(): void {
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

  /**
   * Node.js corks a chunked response until the end of the turn; corking and uncorking it here instead shows at once
   * what the operating system didn't take, so that a burst is not mistaken for a slow reader.
   */
  #handOver(bytes: Buffer): void {
    const { socket } = this.#response;
    socket?.cork();
    const wantsMore = this.#response.write(bytes);
    socket?.uncork();
    if (wantsMore || this.#response.writableLength === 0) return;
    this.#isBlocked = true;
    this.#lastProgressMs = performance.now();
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
