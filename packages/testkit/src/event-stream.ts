import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { createParser, type EventSourceMessage, type ParseError } from "eventsource-parser";

export interface EventStreamRequest {
  /** `GET` by default. */
  method?: string;
  headers?: Readonly<Record<string, string>>;
  body?: string;
  /** Destroys the connection when aborted, before or after the response. */
  signal?: AbortSignal;
}

export interface EventStreamHandlers {
  onEvent(event: EventSourceMessage): void;
  /** @param retryMs the value of a `retry:` field */
  onRetry?(retryMs: number): void;
  onComment?(comment: string): void;
  /** Called for a line that is not SSE. */
  onError?(error: ParseError): void;
}

/**
 * Requests an event stream over a connection of its own.
 *
 * @returns the response, whatever its status
 * @throws if there is no response
 */
export async function requestEventStream(
  url: string,
  { method = "GET", headers = {}, body, signal }: EventStreamRequest = {},
): Promise<IncomingMessage> {
  const sent = request(url, {
    agent: false,
    method,
    headers: { Accept: "text/event-stream", ...headers },
    ...(signal && { signal }),
  });
  sent.end(body);
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  // An aborted request also emits an error after its response.
  sent.on("error", () => {});
  return response;
}

/**
 * Parses the body of a response as Server-Sent Events.
 *
 * @returns resolves when the stream is over: `ended` by the server in good order, or `cut`
 */
export async function readEventStream(
  response: IncomingMessage,
  handlers: EventStreamHandlers,
): Promise<"ended" | "cut"> {
  const parser = createParser(handlers);
  response.setEncoding("utf8");
  response.on("data", (text: string) => parser.feed(text));
  response.on("error", () => {});
  await new Promise<void>((resolve) => response.once("close", resolve));
  return response.complete ? "ended" : "cut";
}
