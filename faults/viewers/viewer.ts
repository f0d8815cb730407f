import { get, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { type ClientId, formatEventId, type Presence, parseEventId, parseStreamMessage } from "@presence/protocol";
import { ViewerPicture } from "../check/viewer-picture.ts";
import { type Frame, FrameReader } from "./sse-frames.ts";

/** Until the server says otherwise by `retry:`, as browsers do. */
const INITIAL_RETRY_MS = 1_000;

/** Where a stream can be had. */
export interface Address {
  host: string;
  port: number;
}

export interface ViewerOptions {
  client: ClientId;
  /** Asked for each connection: what a proxy in front of the servers does. `undefined` where there is no server. */
  route: () => Address | undefined;
  /** Told of each change that comes, at once. */
  onChange?: ((change: Presence) => void) | undefined;
  /** Told when a stream that had begun is over, by whatever hand. */
  onEnd?: ((client: ClientId) => void) | undefined;
}

/**
 * Somebody who looks at their contacts: a stream that comes back as a browser's does, with `Last-Event-ID`, after the
 * time that `retry:` or `Retry-After` asked for. It pings nobody.
 */
export class Viewer {
  readonly client: ClientId;
  readonly picture: ViewerPicture;
  /** How often it has connected, and the server let it. */
  connections = 0;
  /** Snapshots it was sent. */
  snapshots = 0;
  /** How often it was told `503`. */
  refusals = 0;
  readonly #options: ViewerOptions;
  #retryMs = INITIAL_RETRY_MS;
  #socket: Socket | undefined;
  #response: IncomingMessage | undefined;
  #isLive = false;
  #isOpen = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ViewerOptions) {
    this.#options = options;
    this.client = options.client;
    this.picture = new ViewerPicture(options.client);
  }

  /** Whether it has a stream that has begun. */
  get isLive(): boolean {
    return this.#isLive;
  }

  /** Begins to look, and goes on until it is closed. */
  open(): void {
    this.#isOpen = true;
    this.#connect();
  }

  /** Leaves, as a closed tab does: the connection is closed, and nobody is told. */
  close(): void {
    this.#isOpen = false;
    clearTimeout(this.#timer);
    this.#socket?.destroy();
  }

  /** Stops to read what comes; the connection stays. */
  pause(): void {
    this.#response?.pause();
  }

  resume(): void {
    this.#response?.resume();
  }

  #connect(): void {
    const address = this.#options.route();
    if (address === undefined) {
      this.#comeBackIn(this.#retryMs);
      return;
    }
    const { lastId } = this.picture;
    const request = get({
      host: address.host,
      port: address.port,
      path: `/events/${this.client}`,
      agent: false,
      headers: { Accept: "text/event-stream", ...(lastId && { "Last-Event-ID": formatEventId(lastId) }) },
    });
    let isOver = false;
    const over = (waitMs: number) => {
      if (isOver) return;
      isOver = true;
      this.#isLive = false;
      this.#comeBackIn(waitMs);
    };
    request.once("socket", (socket) => {
      this.#socket = socket;
    });
    request.once("error", () => over(this.#retryMs));
    request.once("response", (response) => {
      response.once("close", () => {
        if (this.#isLive) this.#options.onEnd?.(this.client);
        over(retryAfterMs(response) ?? this.#retryMs);
      });
      response.on("error", () => {});
      this.#take(response);
    });
  }

  #comeBackIn(waitMs: number): void {
    if (this.#isOpen) this.#timer = setTimeout(() => this.#connect(), waitMs);
  }

  #take(response: IncomingMessage): void {
    if (response.statusCode !== 200) {
      this.refusals += 1;
      response.resume();
      return;
    }
    this.connections += 1;
    this.#response = response;
    const reader = new FrameReader();
    response.setEncoding("utf8");
    response.on("data", (text: string) => {
      for (const frame of reader.take(text)) this.#takeFrame(frame);
    });
  }

  #takeFrame({ id, event, data, retryMs }: Frame): void {
    if (retryMs !== undefined) {
      this.#retryMs = retryMs;
      // A stream that resumes where nothing was missed begins with no more than this.
      if (this.picture.lastId) this.#isLive = true;
    }
    const message = parseStreamMessage(event, data);
    if (!message) return;
    const position = parseEventId(id ?? "");
    if (!position) throw new Error(`${this.client} was told something without a position: ${data}`);
    this.#isLive = true;
    if (message.event === "snapshot") {
      this.snapshots += 1;
      this.picture.takeSnapshot(position, message.data.contacts);
    } else if (message.event === "presence") {
      this.picture.takeChange(position, message.data);
      this.#options.onChange?.(message.data);
    }
  }
}

function retryAfterMs({ headers }: IncomingMessage): number | undefined {
  const seconds = headers["retry-after"];
  return seconds === undefined ? undefined : Number(seconds) * 1_000;
}
