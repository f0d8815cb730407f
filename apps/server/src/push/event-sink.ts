import type { Problem } from "@presence/protocol";

/**
 * The output of a connection: a response of its own, or one channel of a shared response.
 *
 * `write` accepts everything and never blocks. The caller checks `bufferedBytes` to apply backpressure.
 */
export interface EventSink {
  write(bytes: Buffer): void;

  /** Bytes that were written here but not yet passed to the operating system. */
  readonly bufferedBytes: number;

  /** When buffered bytes were last passed on; now, if nothing is buffered. Ms on the monotonic clock. */
  readonly lastProgressMs: number;

  /** Ends the stream after the written bytes. A sink that can transmit `problem` does so. Idempotent. */
  end(problem?: Problem): void;

  /** Closes the stream at once and drops buffered bytes. Idempotent. */
  destroy(): void;

  /** Called once, when the reader has closed the stream or the sink has ended. */
  onClose(listener: () => void): void;
}
