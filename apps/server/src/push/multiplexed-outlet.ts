import type { ChannelEndMessage, ChannelMessage, Problem } from "@presence/protocol";
import type { Outlet } from "./outlet.ts";
import { encodeFrame } from "./sse.ts";

/**
 * Several clients' streams over one response: a browser opens no more than six connections to one HTTP/1.1 host, and
 * its tabs may be more.
 *
 * A `channel` frame precedes what belongs to another channel than the bytes before it, so that the frames themselves
 * stay the ones all connections share. The response ends with its last channel.
 */
export class MultiplexedOutlet {
  readonly #outlet: Outlet;
  readonly #open = new Set<Channel>();
  #current: number | undefined;

  constructor(outlet: Outlet) {
    this.#outlet = outlet;
    outlet.onClose(() => {
      for (const channel of [...this.#open]) this.#close(channel);
    });
  }

  /** The outlet of one more channel; `index` is its place in the request. */
  addChannel(index: number): Outlet {
    const channel = new Channel(this.#outlet, {
      write: (bytes) => this.#write(index, bytes),
      end: (problem) => {
        if (!this.#open.has(channel)) return;
        if (problem) this.refuse(index, problem);
        this.#close(channel);
        if (this.#open.size === 0) this.#outlet.end();
      },
    });
    this.#open.add(channel);
    return channel;
  }

  /** Says that the channel at this place gets no stream. */
  refuse(index: number, problem: Problem): void {
    const message: ChannelEndMessage = { channel: index, problem };
    this.#outlet.write(encodeFrame({ event: "channel-end", data: message }));
  }

  /** Ends the response where no channel could be opened. */
  endIfEmpty(): void {
    if (this.#open.size === 0) this.#outlet.end();
  }

  #write(index: number, bytes: Buffer): void {
    if (this.#current !== index) {
      this.#current = index;
      const message: ChannelMessage = { channel: index };
      this.#outlet.write(encodeFrame({ event: "channel", data: message }));
    }
    this.#outlet.write(bytes);
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

class Channel implements Outlet {
  readonly #shared: Outlet;
  readonly #actions: ChannelActions;
  readonly #closeListeners: (() => void)[] = [];

  constructor(shared: Outlet, actions: ChannelActions) {
    this.#shared = shared;
    this.#actions = actions;
  }

  get waitingBytes(): number {
    return this.#shared.waitingBytes;
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
