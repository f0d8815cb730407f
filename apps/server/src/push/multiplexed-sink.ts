import type { ChannelEndMessage, ChannelMessage, Problem } from "@presence/protocol";
import type { EventSink } from "./event-sink.ts";
import { encodeFrame } from "./sse.ts";

/**
 * Several clients' streams over one response. A browser opens at most six connections to an HTTP/1.1 host, and may have
 * more tabs.
 *
 * A `channel` frame announces that the following frames belong to another channel. So the frames themselves are those that
 * all connections share. The response ends with its last channel.
 */
export class MultiplexedSink {
  readonly #sink: EventSink;
  readonly #open = new Set<Channel>();
  #currentIndex: number | undefined;

  constructor(sink: EventSink) {
    this.#sink = sink;
    sink.onClose(() => {
      for (const channel of [...this.#open]) this.#close(channel);
    });
  }

  /** @param index the position of the stream in the request */
  addChannel(index: number): EventSink {
    const channel = new Channel(this.#sink, {
      write: (bytes) => this.#write(index, bytes),
      end: (problem) => {
        if (!this.#open.has(channel)) return;
        if (problem) this.refuse(index, problem);
        this.#close(channel);
        if (this.#open.size === 0) this.#sink.end();
      },
    });
    this.#open.add(channel);
    return channel;
  }

  /** Reports that the stream at this position has ended or was not opened. */
  refuse(index: number, problem: Problem): void {
    const message: ChannelEndMessage = { channel: index, problem };
    this.#sink.write(encodeFrame({ event: "channel-end", data: message }));
  }

  /** Ends the response if no channel was opened. */
  endIfEmpty(): void {
    if (this.#open.size === 0) this.#sink.end();
  }

  #write(index: number, bytes: Buffer): void {
    if (this.#currentIndex !== index) {
      this.#currentIndex = index;
      const message: ChannelMessage = { channel: index };
      this.#sink.write(encodeFrame({ event: "channel", data: message }));
    }
    this.#sink.write(bytes);
  }

  #close(channel: Channel): void {
    this.#open.delete(channel);
    channel.close();
  }
}

interface ChannelActions {
  write(bytes: Buffer): void;
  end(problem: Problem | undefined): void;
}

class Channel implements EventSink {
  readonly #shared: EventSink;
  readonly #actions: ChannelActions;
  readonly #closeListeners: (() => void)[] = [];

  constructor(shared: EventSink, actions: ChannelActions) {
    this.#shared = shared;
    this.#actions = actions;
  }

  get bufferedBytes(): number {
    return this.#shared.bufferedBytes;
  }

  get lastProgressMs(): number {
    return this.#shared.lastProgressMs;
  }

  write(bytes: Buffer): void {
    this.#actions.write(bytes);
  }

  end(problem?: Problem): void {
    this.#actions.end(problem);
  }

  destroy(): void {
    this.#shared.destroy();
  }

  onClose(listener: () => void): void {
    this.#closeListeners.push(listener);
  }

  close(): void {
    for (const listener of this.#closeListeners.splice(0)) listener();
  }
}
