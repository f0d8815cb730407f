import { setTimeout as delay } from "node:timers/promises";
import { formatEventId, parseEventId } from "@presence/protocol";
import { describe, expect, it, vi } from "vitest";
import { startTestHub } from "../../test/start-test-hub.ts";
import { type LocalPresenceOptions, LocalPresencePlatform } from "../presence/local/local-presence-platform.ts";
import {
  type Interest,
  type PresenceListener,
  PresenceUnavailableError,
  type Readiness,
} from "../presence/presence-platform.ts";
import { DrainingError } from "./drain.ts";
import type { EventSink } from "./event-sink.ts";

const eventually = (check: () => void | Promise<void>) => vi.waitFor(check, { timeout: 8_000, interval: 10 });

describe("a new stream", () => {
  it("starts with a retry with jitter and a snapshot of the contact list", async () => {
    const { platform, openStream } = await startHub();
    platform.connect("omar");
    const streams = await Promise.all(Array.from({ length: 8 }, () => openStream("anouk")));
    const snapshots = await Promise.all(streams.map((stream) => stream.snapshot()));
    for (const { contacts } of snapshots) {
      expect(contacts).toMatchObject([
        { client: "magali", status: "OFFLINE", since: 0 },
        { client: "omar", status: "ONLINE" },
      ]);
    }
    const retriesMs = streams.flatMap((stream) => stream.retriesMs);
    expect(retriesMs).toHaveLength(8);
    expect(new Set(retriesMs).size).toBeGreaterThan(1);
    for (const retryMs of retriesMs) expect(retryMs).toBeGreaterThanOrEqual(1000);
  });

  it("sends a retry well below the shortest remaining lease of half an interval", async () => {
    const { openStream } = await startHub({ heartbeatIntervalMs: 4_000 });
    const streams = await Promise.all(Array.from({ length: 32 }, () => openStream("anouk")));
    await Promise.all(streams.map((stream) => stream.snapshot()));
    const retriesMs = streams.flatMap((stream) => stream.retriesMs);
    expect(Math.max(...retriesMs)).toBeLessThanOrEqual(1_200);
    expect(Math.min(...retriesMs)).toBeGreaterThanOrEqual(400);
  });

  it("receives events about contacts only", async () => {
    const { platform, openStream } = await startHub();
    const anouk = await openStream("anouk");
    const lone = await openStream("lone");
    await Promise.all([anouk.snapshot(), lone.snapshot()]);
    platform.connect("magali");
    platform.connect("guest");
    await Promise.all([anouk.presence("guest", "ONLINE"), lone.presence("guest", "ONLINE")]);
    expect(anouk.changes()).toEqual(["magali ONLINE", "guest ONLINE"]);
    expect(lone.changes()).toEqual(["guest ONLINE"]);
  });

  it("receives no events about its own client", async () => {
    const { platform, openStream } = await startHub();
    const guest = await openStream("guest");
    expect((await guest.snapshot()).contacts.map(({ client }) => client)).not.toContain("guest");
    const another = await openStream("guest");
    await another.snapshot();
    await guest.close();
    await another.close();
    await platform.leave("guest");
    const back = await openStream("guest", guest.lastEventId());
    platform.connect("magali");
    await back.presence("magali", "ONLINE");
    expect(back.changes()).toEqual(["magali ONLINE"]);
  });

  it("shows everyone to a guest, and online guests to everyone", async () => {
    const { platform, openStream } = await startHub();
    platform.connect("guest");
    platform.connect("anouk");
    const other = await openStream("other-guest");
    expect((await other.snapshot()).contacts.map(({ client }) => client).sort()).toEqual([
      "anouk",
      "guest",
      "lone",
      "magali",
      "omar",
    ]);
    await platform.leave("guest");
    await other.presence("guest", "OFFLINE");
    const lone = await openStream("lone");
    expect((await lone.snapshot()).contacts.map(({ client }) => client)).toEqual(["other-guest"]);
  });

  it("receives a keep-alive if nothing else is sent", { timeout: 30_000 }, async () => {
    const { openStream } = await startHub();
    const stream = await openStream("anouk");
    await stream.snapshot();
    await vi.waitFor(() => expect(stream.comments).toContain("keep-alive"), { timeout: 25_000, interval: 100 });
  });
});

describe("between a snapshot and the events after it", () => {
  it.each([
    ["before the snapshot is read", { beforeMs: 30, afterMs: 0 }],
    ["after the snapshot was read", { beforeMs: 0, afterMs: 30 }],
  ])("no event is lost or duplicated if presence changes %s", async (_when, delays) => {
    const { platform, openStream } = await startHub({
      createPlatform: (options) => new SlowlyReadPlatform(options, delays),
    });
    for (let round = 0; round < 10; round += 1) {
      const stream = await openStream("anouk");
      platform.connect("magali");
      platform.connect(`guest-${round}`);
      const { contacts } = await stream.snapshot();
      platform.connect("omar");
      await stream.presence("omar", "ONLINE");
      for (const client of ["magali", `guest-${round}`]) {
        const inSnapshot = contacts.some((contact) => contact.client === client && contact.status === "ONLINE");
        const inChanges = stream.changes().filter((change) => change === `${client} ONLINE`).length;
        expect(Number(inSnapshot) + inChanges).toBe(1);
      }
      await Promise.all([platform.leave("magali"), platform.leave("omar")]);
      await stream.close();
    }
  });
});

describe("a reader that reconnects", () => {
  it("receives the missed events once each and in order, and no snapshot", async () => {
    const { platform, openStream } = await startHub();
    const first = await openStream("anouk");
    await first.snapshot();
    platform.connect("magali");
    await first.presence("magali", "ONLINE");
    await first.close();
    await platform.leave("magali");
    platform.connect("magali");
    platform.connect("lone");
    platform.connect("guest");
    const second = await openStream("anouk", first.lastEventId());
    platform.connect("omar");
    await second.presence("omar", "ONLINE");
    expect(second.messages.map(({ event }) => event)).not.toContain("snapshot");
    expect(second.changes()).toEqual(["magali OFFLINE", "magali ONLINE", "guest ONLINE", "omar ONLINE"]);
    expect(second.retriesMs).toHaveLength(1);
  });

  it("receives only a retry if it missed no events", async () => {
    const { platform, openStream } = await startHub();
    const first = await openStream("anouk");
    await first.snapshot();
    await first.close();
    const second = await openStream("anouk", first.lastEventId());
    await eventually(() => expect(second.retriesMs).toHaveLength(1));
    platform.connect("omar");
    await second.presence("omar", "ONLINE");
    expect(second.messages).toHaveLength(1);
  });

  it("receives a snapshot if the log does not reach back far enough", async () => {
    const { openStream, cycleGuests } = await startHub({ limits: { eventLogCapacity: 10 } });
    const first = await openStream("anouk");
    await first.snapshot();
    await first.close();
    await cycleGuests(11);
    const second = await openStream("anouk", first.lastEventId());
    await second.snapshot();
  });

  it("receives the missed events from the snapshot if the log does not reach back and no contact changed twice", async () => {
    const { platform, openStream } = await startHub({ limits: { eventLogCapacity: 1 } });
    const first = await openStream("anouk");
    await first.snapshot();
    await first.close();
    platform.connect("magali");
    platform.connect("omar");
    const second = await openStream("anouk", first.lastEventId());
    await second.presence("omar", "ONLINE");
    expect(second.messages.map(({ event }) => event)).toEqual(["presence", "presence"]);
    expect(second.changes()).toEqual(["magali ONLINE", "omar ONLINE"]);
  });

  it("receives a snapshot if the log does not reach back and a contact changed twice", async () => {
    const { platform, openStream } = await startHub({ limits: { eventLogCapacity: 1 } });
    platform.connect("magali");
    const first = await openStream("anouk");
    await first.snapshot();
    await first.close();
    await platform.leave("magali");
    platform.connect("magali");
    const second = await openStream("anouk", first.lastEventId());
    expect((await second.snapshot()).contacts).toContainEqual(
      expect.objectContaining({ client: "magali", status: "ONLINE" }),
    );
    expect(second.changes()).toEqual([]);
  });

  it.each([
    ["of another server", (id: string) => `other${id}`],
    ["in the future", (id: string) => changeVersion(id, 60_000_000)],
    ["older than this server", (id: string) => changeVersion(id, -60_000_000)],
    ["malformed", () => "garbage"],
    ["too long", () => "9".repeat(8_000)],
    ["empty", () => ""],
  ])("receives a snapshot if its id is %s", async (_what, change) => {
    const { openStream } = await startHub();
    const first = await openStream("anouk");
    await first.snapshot();
    const second = await openStream("anouk", change(first.lastEventId()));
    await second.snapshot();
  });

  it("receives the same events as a reader that stayed connected", async () => {
    const { platform, openStream } = await startHub();
    const steady = await openStream("anouk");
    await steady.snapshot();
    const seen: string[] = [];
    let returning = await openStream("anouk");
    await returning.snapshot();
    for (let round = 0; round < 15; round += 1) {
      platform.connect("magali");
      if (round % 3 === 0) {
        const { messages } = returning;
        await eventually(() => expect(messages).not.toEqual([]));
        await returning.close();
      }
      await platform.leave("magali");
      if (round % 3 === 0) {
        seen.push(...returning.changes());
        returning = await openStream("anouk", returning.lastEventId());
      }
    }
    platform.connect("omar");
    await Promise.all([steady.presence("omar", "ONLINE"), returning.presence("omar", "ONLINE")]);
    expect([...seen, ...returning.changes()]).toEqual(steady.changes());
  });
});

describe("a slow reader", { timeout: 60_000 }, () => {
  it("stops receiving events at the limit without affecting others, and gets a snapshot once its buffer is empty", async () => {
    const hub = await startTestHub({ limits: { maxBufferedBytes: 64 * 1024 } });
    const fast = await hub.openStream("anouk");
    await fast.snapshot();
    const slow = await hub.openStalledReader("magali");
    await eventually(async () => expect(await hub.metric("connections")).toBe(2));
    await fast.presence("magali", "ONLINE");
    const before = process.memoryUsage().arrayBuffers;
    await hub.cycleGuestsUntil(async () => (await hub.metric("lagged")) === 1, { readBy: fast });
    await hub.cycleGuests(1_000, { readBy: fast });
    expect(fast.changes()).toHaveLength(2 * hub.guestCount + ["magali ONLINE"].length);
    expect(await hub.metric("lagged")).toBe(1);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * 1024 * 1024);

    hub.platform.connect("omar");
    slow.resume();
    await eventually(() => expect(slow.text).toMatch(/event: snapshot\ndata: [^\n]*"omar","status":"ONLINE"/));
    await hub.platform.leave("omar");
    await eventually(() =>
      expect(slow.text.slice(slow.text.lastIndexOf("event: snapshot"))).toMatch(/"omar","status":"OFFLINE"/),
    );
    expect(await hub.metric("snapshots", "lagged")).toBe(1);
    expect(slow.text).not.toContain(`"guest-${hub.guestCount - 1}"`);
  });

  it("is disconnected if its buffer makes no progress for too long", async () => {
    const hub = await startTestHub({ limits: { maxBufferedBytes: 64 * 1024, maxStalledMs: 300 } });
    const slow = await hub.openStalledReader("magali");
    await eventually(async () => expect(await hub.metric("connections")).toBe(1));
    await hub.cycleGuestsUntil(async () => (await hub.metric("closed", "stalled")) === 1);
    expect(await hub.metric("connections")).toBe(0);
    slow.resume();
    await eventually(() => expect(slow.isClosed).toBe(true));
  });

  it("receives a burst that is larger than the limit if it reads it", async () => {
    const hub = await startTestHub({ limits: { maxBufferedBytes: 1024 } });
    const reader = await hub.openStream("magali");
    await reader.snapshot();
    for (let index = 0; index < 1000; index += 1) hub.platform.connect(`guest-${index}`);
    hub.platform.connect("anouk");
    await reader.next(
      (message) =>
        (message.event === "presence" && message.data.client === "anouk") ||
        (message.event === "snapshot" &&
          message.data.contacts.some(({ client, status }) => client === "anouk" && status === "ONLINE")),
    );
  });

  it("stays connected while it makes progress", async () => {
    const maxStalledMs = 1_500;
    const hub = await startTestHub({ limits: { maxStalledMs } });
    const reader = await hub.openStream("magali");
    await reader.snapshot();
    const endMs = performance.now() + 2 * maxStalledMs;
    await hub.cycleGuestsUntil(() => performance.now() > endMs, { readBy: reader });
    expect(await hub.metric("closed")).toBe(0);
  });
});

describe("the time between two writes", () => {
  it.each([
    ["grows if events arrive late", 10_000, (gapMs: number) => gapMs > 80],
    ["stays short if events arrive in time", 0, (gapMs: number) => gapMs < 50],
  ])("%s", async (_what, aheadMs, isExpected) => {
    const { hub, platform } = await startTestHub({ createPlatform: (options) => new AheadPlatform(options, aheadMs) });
    const sink = new SlowSink(20);
    const list = { owner: "anouk", contacts: new Set(["omar"]), everyone: false, guests: false };
    hub.open({ client: "anouk", list }, sink, undefined);
    await eventually(() => expect(sink.gapsMs).toHaveLength(1));
    // The first gaps are those before and after the snapshot.
    while (!sink.gapsMs.slice(2).some(isExpected)) {
      platform.connect("omar");
      await platform.leave("omar");
      await delay(1);
    }
  });
});

/** A platform whose clock is ahead, so that its events seem to arrive late. */
class AheadPlatform extends LocalPresencePlatform {
  readonly #aheadMs: number;

  constructor(options: LocalPresenceOptions, aheadMs: number) {
    super(options);
    this.#aheadMs = aheadMs;
  }

  override clockMs(): number {
    return super.clockMs() + this.#aheadMs;
  }
}

/** Each write blocks for some time, like the writes to a thousand connections. Records the times between writes. */
class SlowSink implements EventSink {
  readonly gapsMs: number[] = [];
  readonly bufferedBytes = 0;
  isEnded = false;
  readonly #writeMs: number;
  #lastEndMs = Number.NEGATIVE_INFINITY;

  constructor(writeMs: number) {
    this.#writeMs = writeMs;
  }

  get lastProgressMs(): number {
    return performance.now();
  }

  write(): void {
    this.gapsMs.push(performance.now() - this.#lastEndMs);
    for (const endMs = performance.now() + this.#writeMs; performance.now() < endMs; );
    this.#lastEndMs = performance.now();
  }

  end(): void {
    this.isEnded = true;
  }

  destroy(): void {}

  onClose(): void {}
}

/** A platform whose `read` takes time before and after the snapshot is taken. */
class SlowlyReadPlatform extends LocalPresencePlatform {
  readonly #delays: { beforeMs: number; afterMs: number };

  constructor(options: LocalPresenceOptions, delays: { beforeMs: number; afterMs: number }) {
    super(options);
    this.#delays = delays;
  }

  override async read(interest: Interest) {
    await delay(this.#delays.beforeMs);
    const snapshot = await super.read(interest);
    await delay(this.#delays.afterMs);
    return snapshot;
  }
}

describe("a stream while presence can't be read", () => {
  it("stays open, says once until when it was right, and continues with a snapshot", async () => {
    const { platform, openStream, metric } = await startHubWithOutages();
    const stream = await openStream("anouk");
    await stream.snapshot();
    const lostAt = platform.completeUntilMs();
    platform.lose();
    expect(await stream.stale()).toEqual({ at: lostAt });
    platform.lose();
    platform.connect("omar");
    await delay(100);
    platform.recover();
    const { contacts } = await stream.snapshot();
    expect(contacts).toContainEqual(expect.objectContaining({ client: "omar", status: "ONLINE" }));
    await platform.leave("omar");
    await stream.presence("omar", "OFFLINE");
    expect(stream.messages.map(({ event }) => event)).toEqual(["snapshot", "stale", "snapshot", "presence"]);
    expect(stream.messages[1]?.id).toBeUndefined();
    expect(await metric("closed")).toBe(0);
  });

  it("delivers the events that were published before, ahead of the stale message", async () => {
    const { platform, openStream } = await startHubWithOutages();
    const stream = await openStream("anouk");
    await stream.snapshot();
    platform.connect("omar");
    platform.lose();
    await stream.stale();
    expect(stream.messages.map(({ event }) => event)).toEqual(["snapshot", "presence", "stale"]);
  });

  it("becomes stale again in a second outage", async () => {
    const { platform, openStream } = await startHubWithOutages();
    const stream = await openStream("anouk");
    await stream.snapshot();
    for (let outage = 1; outage <= 2; outage += 1) {
      platform.lose();
      await stream.stale();
      platform.recover();
      await stream.snapshot();
    }
  });

  it("keeps its client connected and receives keep-alives", { timeout: 30_000 }, async () => {
    const { platform, openStream } = await startHubWithOutages();
    const stream = await openStream("anouk");
    await stream.snapshot();
    platform.lose();
    await stream.stale();
    await vi.waitFor(() => expect(stream.comments).toContain("keep-alive"), { timeout: 25_000, interval: 100 });
    expect(platform.disconnected).toEqual([]);
  });

  it("ends when its client signs out", async () => {
    const { hub, platform } = await startHubWithOutages();
    const list = { owner: "anouk", contacts: new Set(["omar"]), everyone: false, guests: false };
    const sink = new SlowSink(0);
    hub.open({ client: "anouk", list, sessionKey: "key" }, sink, undefined);
    await eventually(() => expect(sink.gapsMs).toHaveLength(1));
    platform.lose();
    await hub.signOut({ client: "anouk", key: "key", expiresAt: Date.now() + 60_000 });
    expect(sink.isEnded).toBe(true);
    expect(platform.disconnected).toEqual(["anouk"]);
  });

  it("ends when its token expires", async () => {
    const { hub, platform } = await startHubWithOutages();
    const list = { owner: "anouk", contacts: new Set(["omar"]), everyone: false, guests: false };
    const sink = new SlowSink(0);
    hub.open({ client: "anouk", list, expiresAt: Date.now() + 300 }, sink, undefined);
    await eventually(() => expect(sink.gapsMs).toHaveLength(1));
    platform.lose();
    await eventually(() => expect(sink.isEnded).toBe(true));
  });

  it("gets its first snapshot after the outage if it was still being opened", async () => {
    const { platform, openStream } = await startHubWithOutages();
    platform.failReads();
    const stream = await openStream("anouk");
    await stream.stale();
    platform.lose();
    platform.recover();
    await stream.snapshot();
    expect(stream.messages.map(({ event }) => event)).toEqual(["stale", "snapshot"]);
    expect(stream.retriesMs).toHaveLength(1);
  });

  it("reads again by itself if a snapshot could not be read although presence is available", async () => {
    const { platform, openStream } = await startHubWithOutages({ heartbeatIntervalMs: 500 });
    platform.failReads();
    const stream = await openStream("anouk");
    await stream.stale();
    platform.allowReads();
    await stream.snapshot();
  });

  it("ends if its first snapshot can't be read for too long", async () => {
    const { platform, openStream } = await startHubWithOutages({ limits: { maxJoiningMs: 300 } });
    const started = await openStream("magali");
    await started.snapshot();
    platform.failReads();
    const stream = await openStream("anouk");
    platform.lose();
    expect(await stream.over).toBe("ended");
    expect(stream.retriesMs).toHaveLength(1);
    await delay(100);
    platform.recover();
    await started.snapshot();
  });
});

/** A platform that can lose access to presence. */
class OutagePlatform extends LocalPresencePlatform {
  readonly disconnected: string[] = [];
  readonly #listeners: PresenceListener[] = [];
  #isReadable = true;
  #isLost = false;
  #lostAt: number | undefined;

  override subscribe(listener: PresenceListener) {
    this.#listeners.push(listener);
    return super.subscribe(listener);
  }

  override disconnect(client: string) {
    this.disconnected.push(client);
    super.disconnect(client);
  }

  override readiness(): Readiness {
    return this.#isLost ? { ready: false, reason: "lost" } : { ready: true };
  }

  override completeUntilMs() {
    this.#lostAt ??= super.completeUntilMs();
    return this.#lostAt;
  }

  override read(interest: Interest) {
    return this.#isReadable ? super.read(interest) : Promise.reject(new PresenceUnavailableError("lost"));
  }

  failReads(): void {
    this.#isReadable = false;
  }

  allowReads(): void {
    this.#isReadable = true;
  }

  lose(): void {
    this.failReads();
    this.#isLost = true;
    for (const { onLost } of this.#listeners) onLost();
  }

  recover(): void {
    this.allowReads();
    this.#isLost = false;
    this.#lostAt = undefined;
    for (const { onGap } of this.#listeners) onGap();
  }
}

async function startHubWithOutages(options?: Omit<NonNullable<Parameters<typeof startTestHub>[0]>, "createPlatform">) {
  const platforms: OutagePlatform[] = [];
  const hub = await startTestHub({
    ...options,
    createPlatform: (platformOptions) => {
      const created = new OutagePlatform(platformOptions);
      platforms.push(created);
      return created;
    },
  });
  const [platform] = platforms;
  if (!platform) throw new Error("the hub has a platform");
  return { hub: hub.hub, platform, openStream: hub.openStream.bind(hub), metric: hub.metric.bind(hub) };
}

describe("a hub that drains", () => {
  const PACE = { noticeMs: 300, spreadMs: 2_000 };

  it("keeps streams open during the notice, then ends them a few at a time with different retry times", async () => {
    const { hub, openStream } = await startHub();
    const streams = await Promise.all(Array.from({ length: 20 }, () => openStream("anouk")));
    await Promise.all(streams.map((stream) => stream.snapshot()));
    const endsMs: number[] = [];
    for (const stream of streams) void stream.over.then(() => endsMs.push(performance.now()));
    const startMs = performance.now();
    const drained = hub.drain(PACE);
    expect(hub.readiness()).toMatchObject({ ready: false });
    hub.requireReady();
    await drained;
    expect(() => hub.requireReady()).toThrow(DrainingError);
    await Promise.all(streams.map((stream) => stream.over));
    expect(Math.min(...endsMs) - startMs).toBeGreaterThanOrEqual(PACE.noticeMs - 10);
    expect(Math.max(...endsMs) - Math.min(...endsMs)).toBeGreaterThan(PACE.spreadMs / 4);
    expect(new Set(streams.map(({ retriesMs }) => retriesMs.at(-1))).size).toBeGreaterThan(1);
  });

  it("finishes at once without connections", async () => {
    const { hub } = await startHub();
    await hub.drain({ noticeMs: 60_000, spreadMs: 60_000 });
    expect(hub.readiness()).toMatchObject({ ready: false });
  });
});

async function startHub(options?: Parameters<typeof startTestHub>[0]) {
  const hub = await startTestHub(options);
  return {
    hub: hub.hub,
    platform: hub.platform,
    openStream: hub.openStream.bind(hub),
    cycleGuests: hub.cycleGuests.bind(hub),
  };
}

function changeVersion(id: string, by: number): string {
  const parsed = parseEventId(id);
  if (!parsed) throw new Error(`invalid event id: ${id}`);
  return formatEventId({ ...parsed, version: parsed.version + by });
}
