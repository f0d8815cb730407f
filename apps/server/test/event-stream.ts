import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { Readable } from "node:stream";
import {
  type ChannelEndMessage,
  type PresenceMessage,
  parseStreamMessage,
  type SnapshotMessage,
  type Status,
  type StreamMessage,
} from "@presence/protocol";
import { createParser, type EventSourceMessage } from "eventsource-parser";
import { expect, onTestFinished } from "vitest";

/** Long enough for a busy machine: a test that has to wait this long has failed. */
const DEADLINE_MS = 8_000;

/** One message of the stream, and how it came. */
export type ReceivedMessage = StreamMessage & {
  id: string | undefined;
  /** In a multiplexed stream, whose message it is. */
  channel: number | undefined;
  /** On the clock of `performance.now()`. */
  receivedMs: number;
};

/**
 * A reader of the server's SSE stream, over a real connection; it closes with the test that opened it.
 *
 * Everything that came is kept. `next` and its like read on from where the last one stopped.
 */
export class EventStream {
  readonly response: Response;
  /** All messages so far. */
  readonly messages: ReceivedMessage[] = [];
  /** All comments so far. */
  readonly comments: string[] = [];
  /** All `retry:` values so far, in ms. */
  readonly retriesMs: number[] = [];
  /** What the server sent that is no message of the protocol. */
  readonly malformed: string[] = [];
  /** What the reader knew already, of a status or of the channel it is in: none may come. */
  readonly repeated: string[] = [];
  /** Resolves when the stream is over, with how: `ended` by the server in good order, or `cut`. */
  readonly over: Promise<"ended" | "cut">;
  readonly #abort: AbortController;
  readonly #lastEventIds = new Map<number | undefined, string>();
  readonly #statuses = new Map<number | undefined, Map<string, Status>>();
  #channel: number | undefined;
  #cursor = 0;
  #isOver = false;
  #wake: () => void = () => {};

  private constructor(response: Response, abort: AbortController) {
    this.response = response;
    this.#abort = abort;
    this.over = this.#read();
  }

  /** @throws where the answer is no event stream */
  static async open(url: string, init: RequestInit = {}): Promise<EventStream> {
    const abort = new AbortController();
    onTestFinished(() => abort.abort());
    const response = await fetchStrictly(url, { ...init, signal: abort.signal });
    if (!response.headers.get("content-type")?.startsWith("text/event-stream")) {
      throw new Error(`no event stream: ${response.status} ${await response.text()}`);
    }
    const stream = new EventStream(response, abort);
    // Whatever a test is about, a stream has to be readable, and to say nothing twice.
    onTestFinished(() => {
      expect(stream.malformed).toEqual([]);
      expect(stream.repeated).toEqual([]);
    });
    return stream;
  }

  /** The last `id:` seen, in the given channel where the stream is multiplexed. */
  lastEventId(channel?: number): string {
    const id = this.#lastEventIds.get(channel);
    if (id === undefined) throw new Error("no id yet");
    return id;
  }

  /** Closes the connection from this side, and resolves when it is closed here. */
  async close(): Promise<void> {
    this.#abort.abort();
    await this.over;
  }

  /** The next message that `matches`, skipping others. */
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

  /** The next change of that client to that status. */
  async presence(client: string, status: Status, channel?: number): Promise<PresenceMessage> {
    const message = await this.next(
      (m) => m.event === "presence" && m.data.client === client && m.data.status === status && m.channel === channel,
    );
    if (message.event !== "presence") throw new Error("unreachable");
    return message.data;
  }

  async channelEnd(channel: number): Promise<ChannelEndMessage> {
    const message = await this.next((m) => m.event === "channel-end" && m.data.channel === channel);
    if (message.event !== "channel-end") throw new Error("unreachable");
    return message.data;
  }

  /** All presence messages so far, as `anouk ONLINE`; in one channel where the stream is multiplexed. */
  changes(channel?: number): string[] {
    return this.messages.flatMap((m) =>
      m.event === "presence" && m.channel === channel ? [`${m.data.client} ${m.data.status}`] : [],
    );
  }

  async #read(): Promise<"ended" | "cut"> {
    const parser = createParser({
      onEvent: (event) => this.#receive(event),
      onRetry: (retryMs) => this.retriesMs.push(retryMs),
      onComment: (comment) => this.comments.push(comment),
      onError: (error) => this.malformed.push(error.message),
    });
    try {
      const decoder = new TextDecoder();
      for await (const bytes of this.response.body ?? []) parser.feed(decoder.decode(bytes, { stream: true }));
      return "ended";
    } catch {
      return "cut";
    } finally {
      this.#isOver = true;
      this.#wake();
    }
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

/** As `fetch`, which takes a response with `Connection: close` for whole wherever it was cut off. */
async function fetchStrictly(url: string, { method = "GET", headers, body, signal }: RequestInit): Promise<Response> {
  const asked = request(url, {
    agent: false,
    method,
    headers: Object.fromEntries(new Headers(headers)),
    ...(signal && { signal }),
  });
  asked.end(body);
  const [answer] = (await once(asked, "response")) as [IncomingMessage];
  asked.on("error", () => {});
  const answered = Object.entries(answer.headersDistinct).flatMap(([name, values = []]) =>
    values.map((value): [string, string] => [name, value]),
  );
  return new Response(Readable.toWeb(answer) as ReadableStream<Uint8Array>, {
    status: answer.statusCode ?? 0,
    headers: answered,
  });
}
