import type { IncomingMessage } from "node:http";
import { type ClientId, formatEventId, type Presence, parseEventId, parseStreamMessage } from "@presence/protocol";
import { readEventStream, requestEventStream } from "@presence/testkit";
import type { EventSourceMessage } from "eventsource-parser";
import { ViewerState } from "../check/viewer-state.ts";

/** Reconnect delay before the server sends `retry:`. */
const INITIAL_RETRY_MS = 1_000;

/** Address of a server. */
export interface Address {
  host: string;
  port: number;
}

export interface ViewerOptions {
  client: ClientId;
  /** Chooses the server for each connection, as a proxy does; `undefined` if none is available. */
  route: () => Address | undefined;
  /** Called for each presence event. */
  onChange?: ((change: Presence) => void) | undefined;
  /** Called when a live stream is over, for any reason. */
  onEnd?: ((client: ClientId) => void) | undefined;
}

/**
 * A client that reads its stream and reconnects as a browser does: with `Last-Event-ID`, after the time of `retry:` or
 * `Retry-After`. It sends no pings.
 */
export class Viewer {
  readonly client: ClientId;
  readonly state: ViewerState;
  /** Connections that the server accepted. */
  connections = 0;
  /** Snapshots received. */
  snapshots = 0;
  readonly #options: ViewerOptions;
  #retryMs = INITIAL_RETRY_MS;
  #abort = new AbortController();
  #response: IncomingMessage | undefined;
  #isLive = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ViewerOptions) {
    this.#options = options;
    this.client = options.client;
    this.state = new ViewerState(options.client);
  }

  /** Whether it has a stream that has delivered something. */
  get isLive(): boolean {
    return this.#isLive;
  }

  /** Connects, and reconnects until it is closed. */
  open(): void {
    this.#abort = new AbortController();
    void this.#connect(this.#abort.signal);
  }

  /** Closes the connection without a sign-out, as a closed tab does. */
  close(): void {
    this.#abort.abort();
    clearTimeout(this.#timer);
  }

  /** Stops reading; the connection stays open. */
  pause(): void {
    this.#response?.pause();
  }

  resume(): void {
    this.#response?.resume();
  }

  async #connect(signal: AbortSignal): Promise<void> {
    const waitMs = await this.#readStream(signal);
    if (!signal.aborted) this.#timer = setTimeout(() => void this.#connect(signal), waitMs);
  }

  /** @returns the delay before the next attempt, in ms */
  async #readStream(signal: AbortSignal): Promise<number> {
    const address = this.#options.route();
    if (address === undefined) return this.#retryMs;
    const { lastId } = this.state;
    const url = `http://${address.host}:${address.port}/events/${this.client}`;
    const headers: Record<string, string> = lastId ? { "Last-Event-ID": formatEventId(lastId) } : {};
    try {
      const response = await requestEventStream(url, { headers, signal });
      const isRefused = response.statusCode !== 200;
      if (!isRefused) this.#response = response;
      if (!isRefused) this.connections += 1;
      await readEventStream(response, {
        onEvent: (event) => !isRefused && this.#receive(event),
        onRetry: (retryMs) => this.#receiveRetry(retryMs),
      });
      if (this.#isLive) this.#options.onEnd?.(this.client);
      return retryAfterMs(response) ?? this.#retryMs;
    } catch {
      return this.#retryMs;
    } finally {
      this.#isLive = false;
    }
  }

  #receiveRetry(retryMs: number): void {
    this.#retryMs = retryMs;
    // A stream that resumes without missed events begins with this alone.
    if (this.state.lastId) this.#isLive = true;
  }

  #receive({ id, event, data }: EventSourceMessage): void {
    const message = parseStreamMessage(event, data);
    if (!message) return;
    const position = parseEventId(id ?? "");
    if (!position) throw new Error(`${this.client} received a message without an id: ${data}`);
    this.#isLive = true;
    if (message.event === "snapshot") {
      this.snapshots += 1;
      this.state.applySnapshot(position, message.data.contacts);
    } else if (message.event === "presence") {
      this.state.applyChange(position, message.data);
      this.#options.onChange?.(message.data);
    }
  }
}

function retryAfterMs({ headers }: IncomingMessage): number | undefined {
  const seconds = headers["retry-after"];
  return seconds === undefined ? undefined : Number(seconds) * 1_000;
}
