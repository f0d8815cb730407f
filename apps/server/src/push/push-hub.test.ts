import { setTimeout as delay } from "node:timers/promises";
import { formatEventId, parseEventId } from "@presence/protocol";
import { describe, expect, it, vi } from "vitest";
import { startTestHub } from "../../test/start-test-hub.ts";
import { type LocalPresenceOptions, LocalPresencePlatform } from "../presence/local/local-presence-platform.ts";
import type { Interest } from "../presence/presence-platform.ts";
import type { EventSink } from "./event-sink.ts";
import { DrainingError } from "./push-hub.ts";

const eventually = (check: () => void | Promise<void>) => vi.waitFor(check, { timeout: 8_000, interval: 10 });

describe("a stream", () => {
  it("begins with a jittered retry and a snapshot of the whole contact list", async () => {
    const { platform, openStream } = await bound();
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

  it("asks its reader to be back well before the shortest lease ends, half an interval after the last heartbeat", async () => {
    const { openStream } = await bound({ heartbeatIntervalMs: 4_000 });
    const streams = await Promise.all(Array.from({ length: 32 }, () => openStream("anouk")));
    await Promise.all(streams.map((stream) => stream.snapshot()));
    const retriesMs = streams.flatMap((stream) => stream.retriesMs);
    expect(Math.max(...retriesMs)).toBeLessThanOrEqual(1_200);
    expect(Math.min(...retriesMs)).toBeGreaterThanOrEqual(400);
  });

  it("tells of contacts, and of nobody else", async () => {
    const { platform, openStream } = await bound();
    const anouk = await openStream("anouk");
    const lone = await openStream("lone");
    await Promise.all([anouk.snapshot(), lone.snapshot()]);
    platform.connect("magali");
    platform.connect("guest");
    await Promise.all([anouk.presence("guest", "ONLINE"), lone.presence("guest", "ONLINE")]);
    expect(anouk.changes()).toEqual(["magali ONLINE", "guest ONLINE"]);
    expect(lone.changes()).toEqual(["guest ONLINE"]);
  });

  it("never tells clients of themselves", async () => {
    const { platform, openStream } = await bound();
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

  it("shows a guest everyone, and guests to everyone while they are online", async () => {
    const { platform, openStream } = await bound();
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

  it("has a keep-alive where nothing else is said", { timeout: 20_000 }, async () => {
    const { openStream } = await bound();
    const stream = await openStream("anouk");
    await stream.snapshot();
    await vi.waitFor(() => expect(stream.comments).toContain("keep-alive"), { timeout: 15_000, interval: 100 });
  });
});

describe("between a snapshot and the changes after it", () => {
  it.each([
    ["before presence is read", { beforeMs: 30, afterMs: 0 }],
    ["after presence has been read", { beforeMs: 0, afterMs: 30 }],
  ])("nothing is lost or doubled by a change %s", async (_when, delays) => {
    const { platform, openStream } = await bound({
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

describe("a reader who comes back", () => {
  it("gets just what it missed, each event once and in order, and no snapshot", async () => {
    const { platform, openStream } = await bound();
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

  it("gets nothing but a retry where nothing happened", async () => {
    const { platform, openStream } = await bound();
    const first = await openStream("anouk");
    await first.snapshot();
    await first.close();
    const second = await openStream("anouk", first.lastEventId());
    await eventually(() => expect(second.retriesMs).toHaveLength(1));
    platform.connect("omar");
    await second.presence("omar", "ONLINE");
    expect(second.messages).toHaveLength(1);
  });

  it("gets a snapshot where the log no longer reaches back", async () => {
    const { openStream, passThrough } = await bound({ limits: { eventLogCapacity: 10 } });
    const first = await openStream("anouk");
    await first.snapshot();
    await first.close();
    await passThrough(11);
    const second = await openStream("anouk", first.lastEventId());
    await second.snapshot();
  });

  it("gets just what it missed where presence itself can prove it, though the log no longer reaches back", async () => {
    const { platform, openStream } = await bound({ limits: { eventLogCapacity: 1 } });
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

  it("gets a snapshot where a contact went and came back meanwhile, and the log no longer reaches back", async () => {
    const { platform, openStream } = await bound({ limits: { eventLogCapacity: 1 } });
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
    ["another server's", (id: string) => `other${id}`],
    ["one from the future", (id: string) => changeVersion(id, 60_000_000)],
    ["one from before this server", (id: string) => changeVersion(id, -60_000_000)],
    ["garbage", () => "garbage"],
    ["huge", () => "9".repeat(8_000)],
    ["empty", () => ""],
  ])("gets a snapshot where its id is %s", async (_what, change) => {
    const { openStream } = await bound();
    const first = await openStream("anouk");
    await first.snapshot();
    const second = await openStream("anouk", change(first.lastEventId()));
    await second.snapshot();
  });

  it("sees in the end what a reader sees who never left, and each contact's events alternate", async () => {
    const { platform, openStream } = await bound();
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

describe("a slow reader", () => {
  /** More than the kernel takes on the way to a reader that doesn't read. */
  const FLOOD = 60_000;

  it("loses its place past the bound, others notice nothing, and it gets a snapshot once it has drained", async () => {
    const hub = await startTestHub({ limits: { maxWaitingBytes: 64 * 1024 } });
    const witness = await hub.openStream("anouk");
    await witness.snapshot();
    const slow = await hub.openStalledReader("magali");
    await eventually(async () => expect(await hub.metric("connections")).toBe(2));
    const before = process.memoryUsage().arrayBuffers;
    await hub.passThrough(FLOOD, { readBy: witness });
    expect(witness.changes()).toHaveLength(2 * FLOOD + ["magali ONLINE"].length);
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
    expect(slow.text).not.toContain(`passer-${FLOOD - 1}`);
  });

  it("is cut where nothing moves for too long", async () => {
    const hub = await startTestHub({ limits: { maxWaitingBytes: 64 * 1024, maxStalledMs: 300 } });
    const slow = await hub.openStalledReader("magali");
    await eventually(async () => expect(await hub.metric("connections")).toBe(1));
    await hub.passThrough(FLOOD);
    await eventually(async () => expect(await hub.metric("closed", "stalled")).toBe(1));
    expect(await hub.metric("connections")).toBe(0);
    slow.resume();
    await eventually(() => expect(slow.isClosed).toBe(true));
  });

  it("is not who is told more in one moment than may wait, and reads it", async () => {
    const hub = await startTestHub({ limits: { maxWaitingBytes: 1024 } });
    const reader = await hub.openStream("magali");
    await reader.snapshot();
    for (let index = 0; index < 1000; index += 1) hub.platform.connect(`crowd-${index}`);
    hub.platform.connect("anouk");
    await reader.next(
      (message) =>
        (message.event === "presence" && message.data.client === "anouk") ||
        (message.event === "snapshot" &&
          message.data.contacts.some(({ client, status }) => client === "anouk" && status === "ONLINE")),
    );
  });

  it("is left alone for as long as it goes on reading", async () => {
    const hub = await startTestHub({ limits: { maxStalledMs: 300 } });
    const reader = await hub.openStream("magali");
    await reader.snapshot();
    await hub.passThrough(FLOOD, { readBy: reader });
    expect(await hub.metric("closed")).toBe(0);
  });
});

/** The platform, with time passing before and after the moment that presence is read. */
it("joins what comes late for longer than what is in time", async () => {
  const countWrites = async (aheadMs: number) => {
    const { hub, platform } = await startTestHub({ createPlatform: (options) => new AheadPlatform(options, aheadMs) });
    const sink = new SlowSink(20);
    const list = { owner: "anouk", contacts: new Set(["omar"]), everyone: false, guests: false };
    hub.open({ client: "anouk", list }, sink, undefined);
    await eventually(() => expect(sink.writes).toBe(1));
    for (const endMs = performance.now() + 500; performance.now() < endMs; await delay(1)) {
      platform.connect("omar");
      await platform.leave("omar");
    }
    return sink.writes;
  };
  expect(await countWrites(10_000)).toBeLessThan((await countWrites(0)) / 2);
});

/** One whose clock is ahead, so that all that it tells is late. */
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

/** Takes all at once, and its time for it: as a thousand connections do. */
class SlowSink implements EventSink {
  writes = 0;
  readonly waitingBytes = 0;
  readonly #busyMs: number;

  constructor(busyMs: number) {
    this.#busyMs = busyMs;
  }

  get lastProgressMs(): number {
    return performance.now();
  }

  write(): void {
    this.writes += 1;
    for (const endMs = performance.now() + this.#busyMs; performance.now() < endMs; );
  }

  end(): void {}

  destroy(): void {}

  onClose(): void {}
}

class SlowlyReadPlatform extends LocalPresencePlatform {
  readonly #delays: { beforeMs: number; afterMs: number };

  constructor(options: LocalPresenceOptions, delays: { beforeMs: number; afterMs: number }) {
    super(options);
    this.#delays = delays;
  }

  override async read(interest: Interest) {
    await delay(this.#delays.beforeMs);
    const reading = await super.read(interest);
    await delay(this.#delays.afterMs);
    return reading;
  }
}

describe("a hub that drains", () => {
  const PACE = { noticeMs: 300, spreadMs: 1_000 };

  it("lets streams go on at first, then ends them a few at a time, told to come back at different times", async () => {
    const { hub, openStream } = await bound();
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
    expect(Math.max(...endsMs) - Math.min(...endsMs)).toBeGreaterThan(PACE.spreadMs / 2);
    expect(new Set(streams.map(({ retriesMs }) => retriesMs.at(-1))).size).toBeGreaterThan(1);
  });

  it("is through at once where nobody is there", async () => {
    const { hub } = await bound();
    await hub.drain({ noticeMs: 60_000, spreadMs: 60_000 });
    expect(hub.readiness()).toMatchObject({ ready: false });
  });
});

async function bound(options?: Parameters<typeof startTestHub>[0]) {
  const hub = await startTestHub(options);
  return {
    hub: hub.hub,
    platform: hub.platform,
    openStream: hub.openStream.bind(hub),
    passThrough: hub.passThrough.bind(hub),
  };
}

function changeVersion(id: string, by: number): string {
  const parsed = parseEventId(id);
  if (!parsed) throw new Error(`not an id: ${id}`);
  return formatEventId({ ...parsed, version: parsed.version + by });
}
