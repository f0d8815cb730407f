import type { ClientId, MultiplexRequest, StreamRequest } from "@presence/protocol";
import { createParser } from "eventsource-parser";
import type { Fetch } from "../api/api.ts";
import { problemErrorOf } from "../api/problem-error.ts";
import { type ChannelMessage, createDemultiplexer } from "./demultiplexer.ts";

/** The request for one client's stream in a multiplexed response. */
export interface StreamSubscription extends StreamRequest {
  client: ClientId;
}

export interface EventStream {
  /** The connection's id, sent with pings. */
  connection: string;
  /** The clients whose streams it carries now. The server may end one stream and continue the others. */
  clients: ReadonlySet<ClientId>;
  /** The server's heartbeat interval, in ms. Pings must be more frequent. */
  heartbeatIntervalMs: number;
  /** When bytes (messages or keep-alives) last arrived, ms since the epoch. */
  lastBytesAtMs(): number;
  /** Closes the stream. No callback is called afterwards. */
  close(): void;
}

export interface EventStreamCallbacks {
  onMessage(subscription: StreamSubscription, message: ChannelMessage): void;
  /** The server sent `retry:`, the time to wait before reconnecting. */
  onRetry(retryMs: number): void;
  /** The server closed the stream (`ended`), or it broke (`failed`). */
  onEnd(outcome: "ended" | "failed"): void;
}

/** The server's default, used until a response names its interval. */
export const DEFAULT_HEARTBEAT_INTERVAL_MS = 5000;

/**
 * Opens one response that carries the streams of several clients.
 *
 * @param opening `signal` aborts the opening and has no effect on an open stream; `timeoutMs` limits the time until the
 * response
 * @throws ProblemError for an error response, or `fetch`'s errors if the server can't be reached
 */
export async function openEventStream(
  send: Fetch,
  subscriptions: readonly StreamSubscription[],
  opening: { signal: AbortSignal; timeoutMs: number },
  callbacks: EventStreamCallbacks,
): Promise<EventStream> {
  const connection = randomId();
  const abort = new AbortController();
  const response = await withTimeout(
    send(`/api/events?connection=${connection}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "text/event-stream" },
      body: JSON.stringify(toRequest(subscriptions)),
      cache: "no-store",
      signal: abort.signal,
    }),
    abort,
    opening,
  );
  if (!response.ok || response.body === null) {
    throw await problemErrorOf(response);
  }

  const clients = new Set(subscriptions.map(({ client }) => client));
  const demultiplex = createDemultiplexer(subscriptions.length);
  let lastBytesAtMs = Date.now();
  let isClosed = false;

  const parser = createParser({
    onEvent(event) {
      const message = demultiplex(event);
      const subscription = message === undefined ? undefined : subscriptions[message.channel];
      if (message === undefined || subscription === undefined || isClosed) return;
      if (message.kind === "end") clients.delete(subscription.client);
      callbacks.onMessage(subscription, message);
    },
    onRetry: callbacks.onRetry,
  });

  void readAll(response.body, (text) => {
    lastBytesAtMs = Date.now();
    if (!isClosed) parser.feed(text);
  }).then(
    () => isClosed || callbacks.onEnd("ended"),
    () => isClosed || callbacks.onEnd("failed"),
  );

  return {
    connection,
    clients,
    heartbeatIntervalMs:
      parsePositive(response.headers.get("Presence-Heartbeat-Interval")) ?? DEFAULT_HEARTBEAT_INTERVAL_MS,
    lastBytesAtMs: () => lastBytesAtMs,
    close() {
      isClosed = true;
      abort.abort();
    },
  };
}

/** Aborts the request on a timeout or by `signal` until the response headers have arrived. */
async function withTimeout(
  response: Promise<Response>,
  abort: AbortController,
  { signal, timeoutMs }: { signal: AbortSignal; timeoutMs: number },
): Promise<Response> {
  const cancel = () => abort.abort(signal.reason);
  const timer = setTimeout(cancel, timeoutMs);
  signal.addEventListener("abort", cancel);
  if (signal.aborted) cancel();
  try {
    return await response;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", cancel);
  }
}

function toRequest(subscriptions: readonly StreamSubscription[]): MultiplexRequest {
  return {
    streams: subscriptions.map(({ token, lastEventId }) =>
      lastEventId === undefined ? { token } : { token, lastEventId },
    ),
  };
}

async function readAll(body: ReadableStream<Uint8Array<ArrayBuffer>>, onText: (text: string) => void): Promise<void> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    onText(value);
  }
}

function parsePositive(header: string | null): number | undefined {
  const number = Number(header ?? Number.NaN);
  return number > 0 && Number.isFinite(number) ? number : undefined;
}

/** 128 random bits in hexadecimal. `crypto.randomUUID` needs a secure context; this doesn't. */
function randomId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
