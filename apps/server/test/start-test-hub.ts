import { createServer } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { pino } from "pino";
import { onTestFinished } from "vitest";
import type { ContactDocument } from "../src/contacts/contact-store.ts";
import { Directory } from "../src/contacts/directory.ts";
import { MemoryContactStore } from "../src/contacts/memory-contact-store.ts";
import { Metrics } from "../src/metrics.ts";
import { type LocalPresenceOptions, LocalPresencePlatform } from "../src/presence/local/local-presence-platform.ts";
import { PushHub, type PushLimits } from "../src/push/push-hub.ts";
import { StreamSink } from "../src/push/stream-sink.ts";
import { EventStream } from "./event-stream.ts";

/** Anouk, Magali and Omar are contacts of each other. Lone has no contacts and is in no contact list. */
const PEOPLE: readonly ContactDocument[] = [
  { id: "anouk", name: "Anouk", contacts: ["magali", "omar"] },
  { id: "magali", name: "Magali", contacts: ["anouk", "omar"] },
  { id: "omar", name: "Omar", contacts: ["anouk", "magali"] },
  { id: "lone", name: "Lone", contacts: [] },
];

export interface TestHubOptions {
  heartbeatIntervalMs?: number;
  limits?: Partial<PushLimits>;
  createPlatform?: (options: LocalPresenceOptions) => LocalPresencePlatform;
}

/** A hub on the local platform, behind an HTTP server without authentication: `GET /anouk` is Anouk's stream. */
export async function startTestHub({
  heartbeatIntervalMs = 60_000,
  limits = {},
  createPlatform = (options) => new LocalPresencePlatform(options),
}: TestHubOptions = {}): Promise<TestHub> {
  const contacts = new MemoryContactStore(PEOPLE);
  const platform = createPlatform({ heartbeatIntervalMs, isGuest: (client) => !contacts.has(client) });
  const directory = new Directory(contacts, { admitsGuests: true, maxContacts: 10_000 });
  const metrics = new Metrics();
  const hub = new PushHub({ platform, metrics, logger: pino({ level: "silent" }), limits });
  const server = createServer(async (request, response) => {
    const client = (request.url ?? "/").slice(1);
    const list = await directory.contactListOf(client);
    const sink = StreamSink.open(response, { "Content-Type": "text/event-stream" });
    hub.open({ client, list }, sink, request.headers["last-event-id"]?.toString());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    hub.close();
    await platform.close();
    server.closeAllConnections();
    server.close();
  });
  return new TestHub({ platform, hub, metrics, port: (server.address() as AddressInfo).port });
}

interface GuestOptions {
  /** A reader that gets the time to read every 200 events. */
  readBy?: EventStream;
}

export class TestHub {
  readonly platform: LocalPresencePlatform;
  readonly hub: PushHub;
  readonly metrics: Metrics;
  readonly #port: number;
  #guestCount = 0;

  constructor({ platform, hub, metrics, port }: Pick<TestHub, "platform" | "hub" | "metrics"> & { port: number }) {
    this.platform = platform;
    this.hub = hub;
    this.metrics = metrics;
    this.#port = port;
  }

  openStream(client: string, lastEventId?: string): Promise<EventStream> {
    return EventStream.open(`http://127.0.0.1:${this.#port}/${client}`, {
      headers: lastEventId === undefined ? {} : { "Last-Event-ID": lastEventId },
    });
  }

  /** Opens a stream and reads nothing until `resume`. */
  async openStalledReader(client: string): Promise<StalledReader> {
    const socket = connect(this.#port, "127.0.0.1");
    onTestFinished(() => {
      socket.destroy();
    });
    await new Promise<void>((resolve) => socket.once("connect", resolve));
    socket.pause();
    socket.write(`GET /${client} HTTP/1.1\r\nHost: test\r\n\r\n`);
    return new StalledReader(socket);
  }

  /** Connects and signs out `count` guests: two events each, delivered to every connection. */
  async cycleGuests(count: number, { readBy }: GuestOptions = {}): Promise<void> {
    for (let index = 1; index <= count; index += 1) {
      const guest = `guest-${this.#guestCount}`;
      this.#guestCount += 1;
      this.platform.connect(guest);
      await this.platform.leave(guest);
      if (index % 100 !== 0) continue;
      if (readBy) await readBy.presence(guest, "OFFLINE");
      else await nextTurn();
    }
  }

  /** Cycles guests until the condition holds. */
  async cycleGuestsUntil(isReached: () => boolean | Promise<boolean>, options: GuestOptions = {}): Promise<void> {
    while (!(await isReached())) await this.cycleGuests(500, options);
  }

  get guestCount(): number {
    return this.#guestCount;
  }

  /** The value of a counter or gauge: the sum over all labels, or over those with the value `label`. */
  async metric(
    name: keyof Metrics & ("lagged" | "snapshots" | "closed" | "connections" | "resumes"),
    label?: string,
  ): Promise<number> {
    const { values } = await this.metrics[name].get();
    const matching = values.filter(({ labels }) => label === undefined || Object.values(labels).includes(label));
    return matching.reduce((sum, { value }) => sum + value, 0);
  }
}

export class StalledReader {
  readonly #socket: Socket;
  #text = "";

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("error", () => {});
  }

  /** Reads everything from now on. */
  resume(): void {
    this.#socket.on("data", (bytes) => {
      this.#text += bytes.toString("latin1");
    });
    this.#socket.resume();
  }

  get text(): string {
    return this.#text;
  }

  get isClosed(): boolean {
    return this.#socket.closed;
  }
}
