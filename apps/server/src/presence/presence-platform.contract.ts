import type { ClientId, PresenceEvent } from "@presence/protocol";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Interest, leaseDurationMs, type PresencePlatform, type PresenceSnapshot } from "./presence-platform.ts";

const D = 200;
const LEASE = leaseDurationMs(D);
/** What a busy machine may add to a deadline. */
const SLACK_MS = 100;

/** Makes a platform for one test; `close` is called by the suite. */
export type CreatePresencePlatform = (options: { heartbeatIntervalMs: number }) => Promise<PresencePlatform>;

/** What every home of the presence platform does. */
export function presencePlatformContract(create: CreatePresencePlatform): void {
  let platform: PresencePlatform;
  let events: (PresenceEvent & { seenMs: number })[];

  beforeEach(async () => {
    platform = await create({ heartbeatIntervalMs: D });
    events = [];
    platform.watch(watched("anouk", "magali", "omar", "sentinel", "nobody"));
    // What is told of them from here on is told without a gap.
    await platform.read(watched());
    platform.subscribe({
      onEvents: (batch) => events.push(...batch.map((event) => ({ ...event, seenMs: performance.now() }))),
      onGap: () => {},
      onLost: () => {},
    });
  });

  afterEach(() => platform.close());

  const told = (client: ClientId) => events.filter((event) => event.client === client).map(({ status }) => status);
  const eventually = (check: () => void) => vi.waitFor(check, { timeout: 10 * LEASE, interval: 5 });
  const connectAndSee = async (client: ClientId) => {
    const before = told(client).length;
    platform.connect(client);
    await eventually(() => expect(told(client)).toHaveLength(before + 1));
  };
  const presenceOf = async (client: ClientId) => (await platform.read(watched(client))).presences[0];

  /** Resolves when every lease that was set before the call has provably run out or been refreshed. */
  const leasesOver = async () => {
    platform.connect("sentinel");
    platform.disconnect("sentinel");
    await eventually(() => expect(told("sentinel").at(-1)).toBe("OFFLINE"));
  };

  describe("a client that connects", () => {
    it("is announced once, however often it is said to be connected", async () => {
      platform.connect("anouk");
      platform.connect("anouk");
      await leasesOver();
      expect(events.filter(({ client }) => client === "anouk")).toMatchObject([
        { status: "ONLINE", reason: "connected", at: expect.any(Number) },
      ]);
    });

    it("stays online for as long as it is connected", async () => {
      platform.connect("anouk");
      await leasesOver();
      await leasesOver();
      expect(told("anouk")).toEqual(["ONLINE"]);
      expect(await presenceOf("anouk")).toMatchObject({ status: "ONLINE" });
    });
  });

  describe("a client whose last connection has closed", () => {
    it("is announced as timed out when its lease ends, not before and not late", async () => {
      platform.connect("anouk");
      await eventually(() => expect(told("anouk")).toEqual(["ONLINE"]));
      platform.disconnect("anouk");
      await eventually(() => expect(told("anouk")).toEqual(["ONLINE", "OFFLINE"]));
      const [online, offline] = events;
      const livedMs = (offline?.seenMs ?? 0) - (online?.seenMs ?? 0);
      expect(offline).toMatchObject({ reason: "timed-out" });
      expect(livedMs).toBeGreaterThan(LEASE - SLACK_MS);
      expect(livedMs).toBeLessThan(LEASE + 50 + SLACK_MS);
    });

    it("has a whole lease from there where it was prolonged before", async () => {
      await connectAndSee("anouk");
      // A heartbeat later, as the first lease is as old as it gets: the sentinel's, which began with it, is over.
      await leasesOver();
      const prolongedMs = performance.now();
      platform.renew("anouk");
      platform.disconnect("anouk");
      await eventually(() => expect(told("anouk")).toEqual(["ONLINE", "OFFLINE"]));
      const offline = events.find(({ client, status }) => client === "anouk" && status === "OFFLINE");
      expect((offline?.seenMs ?? 0) - prolongedMs).toBeGreaterThan(LEASE - SLACK_MS / 2);
    });

    it("can't be prolonged", async () => {
      await connectAndSee("anouk");
      platform.disconnect("anouk");
      const closedMs = performance.now();
      const again = setInterval(() => platform.renew("anouk"), D / 4);
      await eventually(() => expect(told("anouk")).toEqual(["ONLINE", "OFFLINE"]));
      clearInterval(again);
      expect(performance.now() - closedMs).toBeLessThan(LEASE + 50 + SLACK_MS);
    });

    it("is not announced at all where it comes back inside its lease", async () => {
      platform.connect("anouk");
      platform.disconnect("anouk");
      platform.connect("anouk");
      await leasesOver();
      expect(told("anouk")).toEqual(["ONLINE"]);
    });

    it("is announced again where it comes back later", async () => {
      platform.connect("anouk");
      platform.disconnect("anouk");
      await eventually(() => expect(told("anouk")).toEqual(["ONLINE", "OFFLINE"]));
      platform.connect("anouk");
      await eventually(() => expect(told("anouk")).toEqual(["ONLINE", "OFFLINE", "ONLINE"]));
    });

    it("does not take others with it", async () => {
      platform.connect("anouk");
      platform.connect("magali");
      platform.disconnect("anouk");
      await eventually(() => expect(told("anouk")).toEqual(["ONLINE", "OFFLINE"]));
      expect(told("magali")).toEqual(["ONLINE"]);
    });
  });

  describe("a client that leaves", () => {
    it("is announced at once, and once", async () => {
      await connectAndSee("anouk");
      await platform.leave("anouk");
      const leftMs = performance.now();
      await eventually(() => expect(told("anouk")).toEqual(["ONLINE", "OFFLINE"]));
      await platform.leave("anouk");
      await leasesOver();
      const [, offline] = events;
      expect(told("anouk")).toEqual(["ONLINE", "OFFLINE"]);
      expect(offline).toMatchObject({ reason: "left" });
      expect((offline?.seenMs ?? Number.POSITIVE_INFINITY) - leftMs).toBeLessThan(SLACK_MS);
    });

    it("is no event where it was not online", async () => {
      await platform.leave("anouk");
      await leasesOver();
      expect(told("anouk")).toEqual([]);
    });

    it("may come back at once", async () => {
      await connectAndSee("anouk");
      await platform.leave("anouk");
      platform.connect("anouk");
      await leasesOver();
      expect(told("anouk")).toEqual(["ONLINE", "OFFLINE", "ONLINE"]);
    });
  });

  describe("a reading", () => {
    it("knows nothing of a client never seen, and says so", async () => {
      expect(await presenceOf("nobody")).toEqual({
        client: "nobody",
        status: "OFFLINE",
        since: 0,
        version: 0,
        previousVersion: 0,
      });
    });

    it("tells since when a client is online, and when it was last seen", async () => {
      platform.connect("anouk");
      await eventually(() => expect(told("anouk")).toEqual(["ONLINE"]));
      expect(await presenceOf("anouk")).toMatchObject({ client: "anouk", status: "ONLINE", since: events[0]?.at });
      await platform.leave("anouk");
      await eventually(() => expect(told("anouk")).toEqual(["ONLINE", "OFFLINE"]));
      expect(await presenceOf("anouk")).toMatchObject({ client: "anouk", status: "OFFLINE", since: events[1]?.at });
    });

    it("carries with each presence the version of the event that made it so", async () => {
      platform.connect("anouk");
      await eventually(() => expect(told("anouk")).toEqual(["ONLINE"]));
      expect((await presenceOf("anouk"))?.version).toBe(events[0]?.version);
    });

    it("carries with each presence the version of the event before that", async () => {
      await connectAndSee("anouk");
      expect((await presenceOf("anouk"))?.previousVersion).toBe(0);
      await platform.leave("anouk");
      await eventually(() => expect(told("anouk")).toEqual(["ONLINE", "OFFLINE"]));
      expect((await presenceOf("anouk"))?.previousVersion).toBe(events[0]?.version);
      await connectAndSee("anouk");
      expect((await presenceOf("anouk"))?.previousVersion).toBe(events[1]?.version);
    });

    it("shows nothing new of a client who says goodbye without having been there", async () => {
      await platform.leave("anouk");
      expect(await presenceOf("anouk")).toMatchObject({ status: "OFFLINE", version: 0, previousVersion: 0 });
    });

    it("names the guests who are online, to those who see guests", async () => {
      const guests = { ...watched("anouk"), guests: true };
      platform.watch(guests);
      await platform.read(guests);
      platform.connect("guest");
      await eventually(() => expect(told("guest")).toEqual(["ONLINE"]));
      expect(events.at(-1)).toMatchObject({ client: "guest", guest: true });
      const namesOf = (reading: PresenceSnapshot) => reading.presences.map(({ client }) => client);
      expect(namesOf(await platform.read(guests)).sort()).toEqual(["anouk", "guest"]);
      expect(namesOf(await platform.read(watched("anouk")))).toEqual(["anouk"]);
      const { id: before } = await platform.read(guests);
      await platform.leave("guest");
      const after = await platform.read(guests);
      expect(namesOf(after)).toEqual(["anouk"]);
      expect(after.completeSince).toBeGreaterThan(before.version);
    });

    it("has one entry for each client asked for", async () => {
      const asked = ["anouk", "magali", "__proto__"];
      const { presences } = await platform.read(watched(...asked));
      expect(presences.map(({ client }) => client).sort()).toEqual(asked.sort());
    });

    it("contains exactly the events up to its version, also while things change", async () => {
      const client = "anouk";
      for (let round = 0; round < 50; round += 1) {
        const reading = platform.read(watched(client));
        if (round % 2 === 0) platform.connect(client);
        else await platform.leave(client);
        const { id, presences } = await reading;
        await eventually(() => expect(told(client)).toHaveLength(round + 1));
        const contained = events.filter((event) => event.client === client && event.version <= id.version);
        expect(presences[0]?.status).toBe(contained.at(-1)?.status ?? "OFFLINE");
        expect(id.epoch).toBe(platform.head().epoch);
      }
    });
  });

  describe("the order of events", () => {
    it("rises strictly, and alternates for each client", async () => {
      const clients = ["anouk", "magali", "omar"];
      for (let round = 0; round < 20; round += 1) {
        for (const client of clients) await connectAndSee(client);
        for (const client of clients) await platform.leave(client);
        await eventually(() => expect(events).toHaveLength(6 * (round + 1)));
      }
      await eventually(() => expect(events).toHaveLength(120));
      for (const client of clients) expect(told(client)).toEqual(Array(20).fill(["ONLINE", "OFFLINE"]).flat());
      const versions = events.map(({ version }) => version);
      expect(versions).toEqual([...new Set(versions)].sort((left, right) => left - right));
    });

    it("never runs ahead of the head", async () => {
      const before = platform.head().version;
      platform.connect("anouk");
      await eventually(() => expect(events).toHaveLength(1));
      expect(events[0]?.version).toBeGreaterThan(before);
      expect(events[0]?.version).toBeLessThanOrEqual(platform.head().version);
    });
  });

  it("tells a listener nothing after its subscription has ended", async () => {
    const heard: PresenceEvent[] = [];
    const unsubscribe = platform.subscribe({
      onEvents: (batch) => heard.push(...batch),
      onGap: () => {},
      onLost: () => {},
    });
    unsubscribe();
    platform.connect("anouk");
    await eventually(() => expect(told("anouk")).toEqual(["ONLINE"]));
    expect(heard).toEqual([]);
  });

  it("is ready", () => {
    expect(platform.readiness()).toMatchObject({ ready: true });
  });
}

function watched(...contacts: ClientId[]): Interest {
  return { contacts: new Set(contacts), everyone: false, guests: false };
}
