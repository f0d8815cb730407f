import type { Problem, SessionResponse } from "@presence/protocol";
import type { EventStreamRequest } from "@presence/testkit";
import { onTestFinished } from "vitest";
import { type Environment, parseConfig } from "../src/config.ts";
import { type RunningServer, type ServerOptions, startServer } from "../src/server.ts";
import { EventStream } from "./event-stream.ts";

export interface TestServerOptions extends Partial<ServerOptions> {
  /** Added to, or in place of, a free port of 127.0.0.1 and no logs. */
  env?: Environment;
  /** Arguments after the program's name. */
  argv?: readonly string[];
}

const NO_WEB_APP = "/nonexistent";

/** The real server, composed as in production, on a free port; it closes with the test that started it. */
export async function startTestServer({
  env = {},
  argv = [],
  webAppFolder = NO_WEB_APP,
  ...options
}: TestServerOptions = {}): Promise<TestServer> {
  const config = parseConfig({ PORT: "0", HOST: "127.0.0.1", LOG_LEVEL: "silent", ...env }, argv);
  const server = await startServer(config, { webAppFolder, ...options });
  onTestFinished(() => server.close());
  return new TestServer(server.url.replace("localhost", "127.0.0.1"), server);
}

/** A running server and the requests that most tests make of it. */
export class TestServer {
  readonly url: string;
  readonly #server: Pick<RunningServer, "close" | "drain">;

  constructor(url: string, server: Pick<RunningServer, "close" | "drain">) {
    this.url = url;
    this.#server = server;
  }

  /** Sends its readers elsewhere, as a server that is about to be stopped. */
  drain(): Promise<void> {
    return this.#server.drain();
  }

  /** Stops it before its test ends. */
  close(): Promise<void> {
    return this.#server.close();
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  request(path: string, init?: RequestInit): Promise<Response> {
    return fetch(`${this.url}${path}`, init);
  }

  /** A `POST` of `body` as JSON. */
  post(path: string, body: unknown, init: RequestInit = {}): Promise<Response> {
    return this.request(path, {
      ...init,
      method: "POST",
      headers: { ...init.headers, "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
  }

  /** A fresh token for `client`, in demo mode. */
  async signIn(client: string): Promise<string> {
    const response = await this.post("/api/sessions", { client });
    if (response.status !== 201) throw new Error(`sign-in answered ${response.status}: ${await response.text()}`);
    const { token } = (await response.json()) as SessionResponse;
    return token;
  }

  /** @returns the status of the answer */
  async signOut(token: string): Promise<number> {
    const response = await this.request("/api/sessions/current", { method: "DELETE", headers: bearer(token) });
    await response.arrayBuffer();
    return response.status;
  }

  /** Opens the stream of the client of the token. `init.headers` may contain a `Last-Event-ID`. */
  openStream(token: string, init: EventStreamRequest & { query?: string } = {}): Promise<EventStream> {
    const { query = "", ...rest } = init;
    return EventStream.open(`${this.url}/api/events${query}`, {
      ...rest,
      headers: { ...rest.headers, ...bearer(token) },
    });
  }

  /** Opens the stream of `client` without a token, in demo mode. */
  openTerminalStream(client: string, init?: EventStreamRequest): Promise<EventStream> {
    return EventStream.open(`${this.url}/events/${client}`, init);
  }

  /** Opens several clients' streams in one response. */
  openMultiplexedStream(
    streams: readonly { token: string; lastEventId?: string }[],
    { query = "" }: { query?: string } = {},
  ): Promise<EventStream> {
    return EventStream.open(`${this.url}/api/events${query}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ streams }),
    });
  }

  /** The value of a metric that has no labels, or of exactly `name{labels}`. */
  async metric(name: string): Promise<number> {
    const text = await (await this.request("/metrics")).text();
    const line = text.split("\n").find((candidate) => candidate.startsWith(`${name} `));
    if (line === undefined) throw new Error(`no metric ${name}`);
    return Number(line.slice(name.length + 1));
  }
}

export function bearer(token: string): Record<string, string> {
  return { Authorization: `Bearer ${token}` };
}

/** The body of an answer that has to be a problem, and says so. */
export async function problemOf(response: Response): Promise<Problem> {
  const type = response.headers.get("content-type");
  const text = await response.text();
  if (type !== "application/problem+json") throw new Error(`not a problem: ${response.status} ${type} ${text}`);
  return JSON.parse(text) as Problem;
}
