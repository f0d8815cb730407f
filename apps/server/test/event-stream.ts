import type { IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import {
  type ChannelEndMessage,
  type PresenceMessage,
  parseStreamMessage,
  type SnapshotMessage,
  type StaleMessage,
  type Status,
  type StreamMessage,
} from "@presence/protocol";
import { type EventStreamRequest, readEventStream, requestEventStream } from "@presence/testkit";
import type { EventSourceMessage } from "eventsource-parser";
import { expect, onTestFinished } from "vitest";

/** How long a message may take on a busy machine, in ms. */
const DEADLINE_MS = 8_000;

/** A message of the stream. */
export type ReceivedMessage = StreamMessage & {
  id: string | undefined;
  /** The channel of the message, in a multiplexed stream. */
  channel: number | undefined;
  /** On the clock of `performance.now()`. */
  receivedMs: number;
};

/**
 * Reads an event stream over a real connection, which closes with the test. It keeps all messages; `next` and the
 * methods that use it continue after the message that the last call returned.
 */
export class EventStream {
  readonly response: { status: number; headers: Headers };
  /** All messages so far. */
  readonly messages: ReceivedMessage[] = [];
  /** All comments so far. */
  readonly comments: string[] = [];
  /** All `retry:` values so far, in ms. */
  readonly retriesMs: number[] = [];
  /** Events that are not messages of the protocol, and lines that are not SSE. A test fails if there are any. */
  readonly malformed: string[] = [];
  /** Statuses and channels that did not change. A test fails if there are any. */
  readonly repeated: string[] = [];
  /** Resolves when the stream is over: `ended` by the server in good order, or `cut`. */
  readonly over: Promise<"ended" | "cut">;
  readonly #abort: AbortController;
  readonly #lastEventIds = new Map<number | undefined, string>();
  readonly #statuses = new Map<number | undefined, Map<string, Status>>();
  #channel: number | undefined;
  #cursor = 0;
  #isOver = false;
  #wake: () => void = () => {};

  private constructor(response: IncomingMessage, abort: AbortController) {
    this.response = { status: response.statusCode ?? 0, headers: headersOf(response) };
    this.#abort = abort;
    this.over = this.#read(response);
  }

  /** @throws an error with the status and body if the response is no event stream */
  static async open(url: string, request: EventStreamRequest = {}): Promise<EventStream> {
    const abort = new AbortController();
    onTestFinished(() => abort.abort());
    const response = await requestEventStream(url, { ...request, signal: abort.signal });
    if (!response.headers["content-type"]?.startsWith("text/event-stream")) {
      throw new Error(`no event stream: ${response.statusCode} ${await text(response)}`);
    }
    const stream = new EventStream(response, abort);
    // Holds for every stream, whatever the test checks.
    onTestFinished(() => {
      expect(stream.malformed).toEqual([]);
      expect(stream.repeated).toEqual([]);
    });
    return stream;
  }

  /** The last `id:` received, of one channel if the stream is multiplexed. */
  lastEventId(channel?: number): string {
    const id = this.#lastEventIds.get(channel);
    if (id === undefined) throw new Error("no id yet");
    return id;
  }

  /** Closes the connection. Resolves when it is closed on this side. */
  async close(): Promise<void> {
    this.#abort.abort();
    await this.over;
  }

  /** The next message that matches; skips others. */
  async next(matches: (message: ReceivedMessage) => boolean): Promise<ReceivedMessage> {
    const deadline = AbortSignal.timeout(DEADLINE_MS);
    deadline.addEventListener("abort", () => this.#wake());
    for (;;) {
      while (this.#cursor < this.messages.length) {
        const message = this.messages[this.#cursor++];
        if (message && matches(message)) return message;
      }
      if (this.#isOver || deadline.aborted) {
        const why = deadline.aborted ? `nothing within ${DEADLINE_MS} ms` : "the stream is over";
        throw new Error(`${why}; the last of ${this.messages.length}: ${JSON.stringify(this.messages.slice(-20))}`);
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async snapshot(channel?: number): Promise<SnapshotMessage> {
    const message = await this.next((m) => m.event === "snapshot" && m.channel === channel);
    if (message.event !== "snapshot") throw new Error("unreachable");
    return message.data;
  }

  /** The next change of the client to the status. */
  async presence(client: string, status: Status, channel?: number): Promise<PresenceMessage> {
    const message = await this.next(
      (m) => m.event === "presence" && m.data.client === client && m.data.status === status && m.channel === channel,
    );
    if (message.event !== "presence") throw new Error("unreachable");
    return message.data;
  }

  /** The next message that the statuses may be out of date. */
  async stale(channel?: number): Promise<StaleMessage> {
    const message = await this.next((m) => m.event === "stale" && m.channel === channel);
    if (message.event !== "stale") throw new Error("unreachable");
    return message.data;
  }

  async channelEnd(channel: number): Promise<ChannelEndMessage> {
    const message = await this.next((m) => m.event === "channel-end" && m.data.channel === channel);
    if (message.event !== "channel-end") throw new Error("unreachable");
    return message.data;
  }

  /** All presence messages so far, as `anouk ONLINE`, of one channel if the stream is multiplexed. */
  changes(channel?: number): string[] {
    return this.messages.flatMap((m) =>
      m.event === "presence" && m.channel === channel ? [`${m.data.client} ${m.data.status}`] : [],
    );
  }

  async #read(response: IncomingMessage): Promise<"ended" | "cut"> {
    const how = await readEventStream(response, {
      onEvent: (event) => this.#receive(event),
      onRetry: (retryMs) => this.retriesMs.push(retryMs),
      onComment: (comment) => this.comments.push(comment),
      onError: (error) => this.malformed.push(error.message),
    });
    this.#isOver = true;
    this.#wake();
    return how;
  }

  #receive({ event, data, id }: EventSourceMessage): void {
    const message = parseStreamMessage(event, data);
    if (!message) {
      this.malformed.push(data);
      return;
    }
    if (message.event === "channel") this.#switchTo(message.data.channel);
    if (id !== undefined) this.#lastEventIds.set(this.#channel, id);
    this.#noteStatuses(message);
    this.messages.push({ ...message, id, channel: this.#channel, receivedMs: performance.now() });
    this.#wake();
  }

  #switchTo(channel: number): void {
    if (channel === this.#channel) this.repeated.push(`channel ${channel}`);
    this.#channel = channel;
  }

  #noteStatuses(message: StreamMessage): void {
    if (message.event === "snapshot") {
      const { contacts } = message.data;
      this.#statuses.set(this.#channel, new Map(contacts.map(({ client, status }) => [client, status])));
    } else if (message.event === "presence") {
      const { client, status } = message.data;
      const statuses = this.#statuses.get(this.#channel) ?? new Map<string, Status>();
      this.#statuses.set(this.#channel, statuses);
      if (statuses.get(client) === status) this.repeated.push(`${client} ${status}`);
      statuses.set(client, status);
    }
  }
}

function headersOf({ headersDistinct }: IncomingMessage): Headers {
  const headers = new Headers();
  for (const [name, values = []] of Object.entries(headersDistinct)) {
    for (const value of values) headers.append(name, value);
  }
  return headers;
}
