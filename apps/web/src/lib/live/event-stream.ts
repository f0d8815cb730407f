import type { ClientId, MultiplexRequest, StreamRequest } from "@presence/protocol";
import { createParser } from "eventsource-parser";
import type { Fetch } from "../api/api.ts";
import { problemErrorOf } from "../api/problem-error.ts";
import { type ChannelMessage, createDemultiplexer } from "./demultiplexer.ts";

/** One client's stream, as part of a multiplexed one. */
export interface StreamOrder extends StreamRequest {
  client: ClientId;
}

export interface EventStream {
  /** The id under which the server expects pings. */
  connection: string;
  /** Whose streams it carries at this moment: the server may end one and go on with the others. */
  clients: ReadonlySet<ClientId>;
  /** When the server answered, ms since the epoch. */
  openedAtMs: number;
  /** How often the server's clients are refreshed: pings come more often than that. */
  heartbeatIntervalMs: number;
  /** When bytes last arrived, keep-alives included. */
  lastBytesAtMs(): number;
  /** Ends it: no callback is called any more. */
  close(): void;
}

export interface EventStreamCallbacks {
  onMessage(order: StreamOrder, message: ChannelMessage): void;
  /** The server said how long to wait before coming back, once this stream has ended. */
  onRetry(retryMs: number): void;
  /** It is over, in good order or not. */
  onEnd(outcome: "ended" | "failed"): void;
}

const OPEN_TIMEOUT_MS = 10_000;
const DEFAULT_HEARTBEAT_INTERVAL_MS = 5000;

/**
 * Opens one response that carries the streams of several clients.
 *
 * @throws ProblemError, or `fetch`'s own errors where the server can't be reached
 */
export async function openEventStream(
  send: Fetch,
  orders: readonly StreamOrder[],
  signal: AbortSignal,
  callbacks: EventStreamCallbacks,
): Promise<EventStream> {
  const connection = randomId();
  const abort = new AbortController();
  const response = await answerInTime(
    send(`/api/events?connection=${connection}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "text/event-stream" },
      body: JSON.stringify(requestOf(orders)),
      cache: "no-store",
      signal: abort.signal,
    }),
    abort,
    signal,
  );
  if (!response.ok || response.body === null) {
    throw await problemErrorOf(response);
  }

  const clients = new Set(orders.map(({ client }) => client));
  const demultiplex = createDemultiplexer(orders.length);
  const openedAtMs = Date.now();
  let lastBytesAtMs = openedAtMs;
  let isClosed = false;

  const parser = createParser({
    onEvent(event) {
      const message = demultiplex(event);
      const order = message === undefined ? undefined : orders[message.channel];
      if (message === undefined || order === undefined || isClosed) return;
      if (message.kind === "end") clients.delete(order.client);
      callbacks.onMessage(order, message);
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
    openedAtMs,
    heartbeatIntervalMs: positive(response.headers.get("Presence-Heartbeat-Interval")) ?? DEFAULT_HEARTBEAT_INTERVAL_MS,
    lastBytesAtMs: () => lastBytesAtMs,
    close() {
      isClosed = true;
      abort.abort();
    },
  };
}

/** Aborts the request when the answer is late or `signal` says so; once the answer is there, neither matters any more. */
async function answerInTime(answer: Promise<Response>, abort: AbortController, signal: AbortSignal): Promise<Response> {
  const giveUp = () => abort.abort(signal.reason);
  const timer = setTimeout(giveUp, OPEN_TIMEOUT_MS);
  signal.addEventListener("abort", giveUp);
  if (signal.aborted) giveUp();
  try {
    return await answer;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", giveUp);
  }
}

function requestOf(orders: readonly StreamOrder[]): MultiplexRequest {
  return {
    streams: orders.map(({ token, lastEventId }) => (lastEventId === undefined ? { token } : { token, lastEventId })),
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

function positive(header: string | null): number | undefined {
  const number = Number(header ?? Number.NaN);
  return number > 0 && Number.isFinite(number) ? number : undefined;
}

/** 128 random bits in hexadecimal. Unlike `crypto.randomUUID` this works where the page isn't in a secure context. */
function randomId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
