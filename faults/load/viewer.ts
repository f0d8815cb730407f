import type { IncomingMessage } from "node:http";
import {
  backOffMs,
  type ClientId,
  formatEventId,
  maxBackOffMs,
  type Presence,
  parseEventId,
  parseStreamMessage,
} from "@presence/protocol";
import { readEventStream, requestEventStream } from "@presence/testkit";
import type { EventSourceMessage } from "eventsource-parser";
import { ViewerState } from "../check/viewer-state.ts";

/** Reconnect delay before the server sends `retry:`. */
const INITIAL_RETRY_MS = 1_000;
/** `d` before a server has sent its own, in ms. */
const DEFAULT_HEARTBEAT_INTERVAL_MS = 5_000;

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
 * A client that reads its stream and reconnects as the web app does: with `Last-Event-ID`, after the time of `retry:` if
 * the server ended the stream, otherwise after `Retry-After` and a back-off. It sends no pings.
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
  #heartbeatIntervalMs = DEFAULT_HEARTBEAT_INTERVAL_MS;
  /** Failed attempts in a row. */
  #failures = 0;
  #abort = new AbortController();
  #response: IncomingMessage | undefined;
  #isLive = false;
  #isStale = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ViewerOptions) {
    this.#options = options;
    this.client = options.client;
    this.state = new ViewerState(options.client);
  }

  /** Whether it has a stream that has delivered something and is not stale. */
  get isLive(): boolean {
    return this.#isLive && !this.#isStale;
  }

  /** Whether it has a stream that says that the statuses may be out of date. */
  get isStale(): boolean {
    return this.#isStale;
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
    if (address === undefined) return this.#fail();
    const { lastId } = this.state;
    const url = `http://${address.host}:${address.port}/events/${this.client}`;
    const headers: Record<string, string> = lastId ? { "Last-Event-ID": formatEventId(lastId) } : {};
    try {
      const response = await requestEventStream(url, { headers, signal });
      const isRefused = response.statusCode !== 200;
      if (!isRefused) this.#accept(response);
      const outcome = await readEventStream(response, {
        onEvent: (event) => !isRefused && this.#receive(event),
        onRetry: (retryMs) => this.#receiveRetry(retryMs),
      });
      if (this.#isLive) this.#options.onEnd?.(this.client);
      return isRefused || outcome === "cut" ? this.#fail(retryAfterMs(response)) : this.#retryMs;
    } catch {
      return this.#fail();
    } finally {
      this.#isLive = false;
      this.#isStale = false;
    }
  }

  #accept(response: IncomingMessage): void {
    this.#response = response;
    this.#failures = 0;
    this.connections += 1;
    this.#heartbeatIntervalMs = Number(response.headers["presence-heartbeat-interval"]);
  }

  /** @returns the delay before the next attempt, in ms */
  #fail(retryAfterMs = 0): number {
    this.#failures += 1;
    const capMs = maxBackOffMs(this.#heartbeatIntervalMs);
    return retryAfterMs + backOffMs(this.#failures, this.#retryMs, capMs, Math.random());
  }

  #receiveRetry(retryMs: number): void {
    this.#retryMs = retryMs;
    // A stream that resumes without missed events begins with this alone.
    if (this.state.lastId) this.#isLive = true;
  }

  #receive({ id, event, data }: EventSourceMessage): void {
    const message = parseStreamMessage(event, data);
    if (!message) return;
    if (message.event === "stale") {
      this.#isStale = true;
      return;
    }
    const position = parseEventId(id ?? "");
    if (!position) throw new Error(`${this.client} received a message without an id: ${data}`);
    this.#isLive = true;
    if (message.event === "snapshot") {
      this.#isStale = false;
      this.snapshots += 1;
      this.state.applySnapshot(position, message.data.contacts);
    } else if (message.event === "presence") {
      this.state.applyChange(position, message.data);
      this.#options.onChange?.(message.data);
    }
  }
}

function retryAfterMs({ headers }: IncomingMessage): number {
  return Number(headers["retry-after"] ?? 0) * 1_000;
}
