import type { OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { createChunkEncoder, LAST_CHUNK } from "./chunk.ts";
import type { EventSink } from "./event-sink.ts";
import { listenTo, takeSocket } from "./taken-socket.ts";

/** Large messages are passed on in pieces of this size, so that the progress of a slow reader is visible. */
const PIECE_BYTES = 64 * 1024;
/** How long the head of a response waits for the first bytes, in ms, to be sent in one write with them. */
const HEAD_DELAY_MS = 20;
const SINK = Symbol("sink");
const encodeChunk = createChunkEncoder();

/** Where the bytes are written. The property lets all sockets share the same listener functions. */
type Output = (Socket | ServerResponse) & { [SINK]?: StreamSink };

/**
 * An SSE response with backpressure: bytes are passed on as fast as the reader takes them.
 *
 * After the head was sent, only the socket is kept. Node.js's request, response and parser objects need more memory than
 * the rest of a stream. A `ServerResponse` also splits each chunk into four writes. A pipelined response has no socket until
 * the earlier response has ended; it keeps its `ServerResponse`.
 */
export class StreamSink implements EventSink {
  readonly #output: Output;
  readonly #isChunked: boolean;
  #closeListeners: readonly (() => void)[] = [];
  /** Whether the head is still waiting for the first bytes. */
  #isHeadPending = false;
  #isEnded = false;
  #queue: Buffer[] = [];
  #queuedBytes = 0;
  #isBlocked = false;
  #lastProgressMs = performance.now();

  private constructor(output: Output, isChunked: boolean) {
    this.#output = output;
    this.#isChunked = isChunked;
    output[SINK] = this;
  }

  /** Starts the response. Its head is sent with the first bytes, or after `HEAD_DELAY_MS`. */
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
    sink.#isHeadPending = true;
    setTimeout(sendHead, HEAD_DELAY_MS, sink);
    listenTo(socket, "drain", onDrain);
    listenTo(socket, "close", onClose);
    listenTo(socket, "error", onError);
    listenTo(socket, "end", onEnd);
    // Not now: this may run inside a callback of the parser.
    setImmediate(takeSocket, response, socket);
    return sink;
  }

  get bufferedBytes(): number {
    return this.#queuedBytes + this.#output.writableLength;
  }

  get lastProgressMs(): number {
    return this.#isBlocked ? this.#lastProgressMs : performance.now();
  }

  write(bytes: Buffer): void {
    // An empty chunk would end the response.
    if (this.#isEnded || bytes.length === 0) return;
    if (!this.#isBlocked && bytes.length <= PIECE_BYTES) {
      this.#passOn(bytes);
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
    else if (!("destroySoon" in this.#output)) this.#output.end();
    else {
      if (this.#isChunked) this.#output.write(LAST_CHUNK);
      this.#output.destroySoon();
    }
  }

  destroy(): void {
    this.#output.destroy();
  }

  onClose(listener: () => void): void {
    // Not `push`, which would reserve capacity for a dozen more listeners per stream.
    this.#closeListeners = this.#closeListeners.concat(listener);
  }

  /** Sends the head, together with the bytes written since. */
  sendHead(): void {
    if (!this.#isHeadPending) return;
    this.#isHeadPending = false;
    (this.#output as Socket).uncork();
  }

  handleClose(): void {
    this.#isEnded = true;
    const listeners = this.#closeListeners;
    this.#closeListeners = [];
    for (const listener of listeners) listener();
  }

  handleDrain(): void {
    this.#isBlocked = false;
    this.#lastProgressMs = performance.now();
    this.#pump();
  }

  #pump(): void {
    while (!this.#isBlocked) {
      const piece = this.#takePiece();
      if (!piece) return;
      this.#passOn(piece);
    }
  }

  /** If the operating system took all bytes at once, the reader is not slow, whatever `write` returns. */
  #passOn(bytes: Buffer): void {
    const isBelowHighWaterMark = this.#output.write(this.#isChunked ? encodeChunk(bytes) : bytes);
    this.sendHead();
    if (isBelowHighWaterMark || this.#output.writableLength === 0) return;
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

function onDrain(this: Output): void {
  this[SINK]?.handleDrain();
}

function onClose(this: Output): void {
  this[SINK]?.handleClose();
}

/** The reader closed its sending side. A half-closed reader could still read, but no known client does. */
function onEnd(this: Socket): void {
  this.destroy();
}

/** `close` follows every error, and is handled. Without this listener the error would be thrown. */
function onError(): void {}
