import type { Problem } from "@presence/protocol";

/**
 * Where a connection's bytes go: a response of its own, or one channel of a shared one.
 *
 * A sink takes whatever it is given and never blocks; who writes looks at `waitingBytes` first.
 */
export interface EventSink {
  write(bytes: Buffer): void;

  /** Bytes taken but not yet handed to the operating system. */
  readonly waitingBytes: number;

  /** When bytes were last handed over while others waited, or nothing waited; ms on the monotonic clock. */
  readonly lastProgressMs: number;

  /** Ends it after what was written, telling `problem` where the sink has words for it. Idempotent. */
  end(problem?: Problem): void;

  /** Ends it at once: what waits is lost. Idempotent. */
  destroy(): void;

  /** Called once, when the other side has gone or the sink has ended. */
  onClose(listener: () => void): void;
}
