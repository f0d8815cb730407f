import type { OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { createChunkEncoder, LAST_CHUNK } from "./chunk.ts";
import type { EventSink } from "./event-sink.ts";
import { listenTo, takeSocket } from "./taken-socket.ts";

/** A large message is handed over in pieces of this size, so that a slow reader's progress can be seen. */
const PIECE_BYTES = 64 * 1024;
/** How long a response's head waits for its first bytes, to go out in one write with them; ms. */
const HEAD_WAITS_MS = 20;
const SINK = Symbol("sink");
const encodeChunk = createChunkEncoder();

/** What bytes are handed over to. It knows its sink, so that all sockets share their listeners. */
type Target = (Socket | ServerResponse) & { [SINK]?: StreamSink };

/**
 * An SSE response, written to as fast as its reader takes it.
 *
 * Of a response that has begun the socket is all that is kept: Node.js's request, response and parser weigh more
 * than all the rest of a stream, and divide each write to a chunked response into four. Only a response that waits for
 * an earlier one on the same connection has no socket yet, and is left as it is.
 */
export class StreamSink implements EventSink {
  readonly #target: Target;
  readonly #isChunked: boolean;
  #closeListeners: readonly (() => void)[] = [];
  /** Whether the head still waits for the first bytes. */
  #isHeadWaiting = false;
  #isEnded = false;
  #queue: Buffer[] = [];
  #queuedBytes = 0;
  #isBlocked = false;
  #lastProgressMs = performance.now();

  private constructor(target: Target, isChunked: boolean) {
    this.#target = target;
    this.#isChunked = isChunked;
    target[SINK] = this;
  }

  /** Begins the response. Its head goes with the first bytes, or soon without them. */
  static open(response: ServerResponse, headers: OutgoingHttpHeaders): StreamSink {
    const { socket } = response;
    socket?.cork();
    response.writeHead(200, headers);
    response.flushHeaders();
    if (!socket) {
      const sink = new StreamSink(response, false);
      response.on("drain", onDrain).on("close", onClose).on("error", onError);
      return sink;
    }
    const sink = new StreamSink(socket, response.chunkedEncoding);
    sink.#isHeadWaiting = true;
    setTimeout(sendHead, HEAD_WAITS_MS, sink);
    listenTo(socket, "drain", onDrain);
    listenTo(socket, "close", onClose);
    listenTo(socket, "error", onError);
    listenTo(socket, "end", onEnd);
    // The parser may be in the middle of its work.
    setImmediate(takeSocket, response, socket);
    return sink;
  }

  get waitingBytes(): number {
    return this.#queuedBytes + this.#target.writableLength;
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
    if (this.#isEnded) return;
    this.#isEnded = true;
    if (this.#isBlocked) this.destroy();
    else if (!("destroySoon" in this.#target)) this.#target.end();
    else {
      if (this.#isChunked) this.#target.write(LAST_CHUNK);
      this.#target.destroySoon();
    }
  }

  destroy(): void {
    this.#target.destroy();
  }

  onClose(listener: () => void): void {
    // A push would leave room for a dozen more, on each of very many.
    this.#closeListeners = this.#closeListeners.concat(listener);
  }

  /** Lets the head go, with what has been written since. */
  sendHead(): void {
    if (!this.#isHeadWaiting) return;
    this.#isHeadWaiting = false;
    (this.#target as Socket).uncork();
  }

  /** The target has closed. */
  close(): void {
    this.#isEnded = true;
    const listeners = this.#closeListeners;
    this.#closeListeners = [];
    for (const listener of listeners) listener();
  }

  /** The target wants more. */
  drain(): void {
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
    const wantsMore = this.#target.write(this.#isChunked ? encodeChunk(bytes) : bytes);
    this.sendHead();
    if (wantsMore || this.#target.writableLength === 0) return;
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

function sendHead(sink: StreamSink): void {
  sink.sendHead();
}

function onDrain(this: Target): void {
  this[SINK]?.drain();
}

function onClose(this: Target): void {
  this[SINK]?.close();
}

/** The reader says no more. It could still read, but none that is known to does. */
function onEnd(this: Socket): void {
  this.destroy();
}

/** A reset connection also emits `close`, which is all that anyone needs to know. */
function onError(): void {}
