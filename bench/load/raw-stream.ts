import { connect, type Socket } from "node:net";
import { countBraces } from "./count-braces.ts";

/** All sockets share this buffer: its content is counted before the next socket reads. */
const READ_BUFFER = Buffer.alloc(64 * 1024);

/**
 * An SSE reader that only counts, without parsing frames, so that the reader is not the bottleneck.
 *
 * Each message except a snapshot is one flat JSON object. Its opening brace counts it, wherever the bytes are split.
 */
export class RawStream {
  bytes = 0;
  /** JSON objects since the last reset. */
  objects = 0;
  /** When the first object since the last reset arrived, ms on the monotonic clock. */
  firstObjectMs = Number.NaN;
  /** When the last bytes arrived, ms on the monotonic clock. */
  lastReadMs = Number.NaN;
  /** Receives all bytes. The buffer is overwritten afterwards. */
  onBytes: ((bytes: Buffer) => void) | undefined;
  readonly #socket: Socket;
  #awaited: { objects: number; resolve: () => void } | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /**
   * Resolves when the response begins.
   *
   * @param greeting is sent when the response begins, for protocols other than SSE
   */
  static open(
    port: number,
    path: string,
    headers: Readonly<Record<string, string>> = {},
    greeting?: Uint8Array,
  ): Promise<RawStream> {
    return new Promise((resolve, reject) => {
      let stream: RawStream | undefined;
      const socket = connect({
        host: "127.0.0.1",
        port,
        onread: {
          buffer: READ_BUFFER,
          callback: (length) => {
            if (!stream && greeting) socket.write(greeting);
            stream ??= new RawStream(socket);
            stream.#count(length);
            resolve(stream);
            return true;
          },
        },
      });
      socket.setNoDelay(true);
      socket.once("error", reject);
      socket.once("close", () => reject(new Error(`GET ${path} had no response.`)));
      socket.write(requestText(path, headers));
    });
  }

  /** Resolves when it has received that many JSON objects since it was reset. */
  received(objects: number): Promise<void> {
    if (this.objects >= objects) return Promise.resolve();
    return new Promise((resolve) => {
      this.#awaited = { objects, resolve };
    });
  }

  reset(): void {
    this.objects = 0;
    this.firstObjectMs = Number.NaN;
  }

  close(): void {
    this.#socket.destroy();
  }

  #count(length: number): void {
    this.bytes += length;
    this.lastReadMs = performance.now();
    this.onBytes?.(READ_BUFFER.subarray(0, length));
    const count = countBraces(READ_BUFFER, length);
    if (this.objects === 0 && count > 0) this.firstObjectMs = this.lastReadMs;
    this.objects += count;
    if (this.#awaited && this.objects >= this.#awaited.objects) {
      this.#awaited.resolve();
      this.#awaited = undefined;
    }
  }
}

function requestText(path: string, headers: Readonly<Record<string, string>>): string {
  const all = { Host: "127.0.0.1", Accept: "text/event-stream", ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return `GET ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`;
}
