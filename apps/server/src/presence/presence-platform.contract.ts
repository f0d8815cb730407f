import type { ClientId, PresenceEvent } from "@presence/protocol";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Interest, PresencePlatform, PresenceSnapshot } from "./presence-platform.ts";

/** Long enough that a process suspended for less than 200 ms loses no lease. */
export const HEARTBEAT_INTERVAL_MS = 400;
/** 1.5 intervals, as a literal: the contract must not follow the code under test. */
const LEASE_MS = 600;
/** By how much the clocks of Redis and of this process may differ when they measure the same time. */
const CLOCK_TOLERANCE_MS = 20;
/** How much later than specified an event may arrive on a slow machine. */
const SLACK_MS = 1_000;
/** The limit for the earliest of several events. A lease of two intervals would exceed it. */
const BEST_LAG_MS = 120;

/** Creates a platform for one test. The suite calls `close`. */
export type CreatePresencePlatform = (options: { heartbeatIntervalMs: number }) => Promise<PresencePlatform>;

/** The tests that every implementation of the presence platform must pass. */
export function presencePlatformContract(create: CreatePresencePlatform): void {
  let platform: PresencePlatform;
  let events: (PresenceEvent & { receivedMs: number })[];

  beforeEach(async () => {
    platform = await create({ heartbeatIntervalMs: HEARTBEAT_INTERVAL_MS });
    events = [];
    platform.watch(interestIn("anouk", "magali", "omar", "sentinel", "unknown"));
    // Confirms the interest: from here on no event about these clients is missed.
    await platform.read(interestIn());
    platform.subscribe({
      onEvents: (batch) => events.push(...batch.map((event) => ({ ...event, receivedMs: performance.now() }))),
      onGap: () => {},
      onLost: () => {},
    });
  });

  afterEach(() => platform.close());

  const changesOf = (client: ClientId) => events.filter((event) => event.client === client).map(({ status }) => status);
  const eventually = (check: () => void) => vi.waitFor(check, { timeout: 10_000, interval: 5 });
  const expectChanges = (client: ClientId, ...changes: string[]) =>
    eventually(() => expect(changesOf(client)).toEqual(changes));
  const connectAndWait = async (client: ClientId) => {
    const before = changesOf(client).length;
    platform.connect(client);
    await eventually(() => expect(changesOf(client)).toHaveLength(before + 1));
  };
  const presenceOf = async (client: ClientId) => (await platform.read(interestIn(client))).presences[0];

  /** Resolves when every lease that existed at the call has either expired or been renewed. */
  const waitForLeases = async () => {
    platform.connect("sentinel");
    platform.disconnect("sentinel");
    await eventually(() => expect(changesOf("sentinel").at(-1)).toBe("OFFLINE"));
  };

  describe("connect", () => {
    it("publishes ONLINE once for repeated calls", async () => {
      platform.connect("anouk");
      platform.connect("anouk");
      await waitForLeases();
      expect(events.filter(({ client }) => client === "anouk")).toMatchObject([
        { status: "ONLINE", reason: "connected", at: expect.any(Number) },
      ]);
    });

    it("keeps the client online while it is connected", async () => {
      platform.connect("anouk");
      await waitForLeases();
      await waitForLeases();
      expect(changesOf("anouk")).toEqual(["ONLINE"]);
      expect(await presenceOf("anouk")).toMatchObject({ status: "ONLINE" });
    });
  });

  describe("disconnect", () => {
    it("publishes OFFLINE when the lease expires, not earlier and not late", async () => {
      const lagsMs: number[] = [];
      for (const client of ["anouk", "magali", "omar"]) {
        const connectedMs = performance.now();
        await connectAndWait(client);
        platform.disconnect(client);
        const disconnectedMs = performance.now();
        await expectChanges(client, "ONLINE", "OFFLINE");
        const receivedMs = events.at(-1)?.receivedMs ?? 0;
        expect(events.at(-1)).toMatchObject({ client, reason: "timed-out" });
        expect(receivedMs).toBeGreaterThan(connectedMs + LEASE_MS - CLOCK_TOLERANCE_MS);
        lagsMs.push(receivedMs - disconnectedMs - LEASE_MS);
      }
      expect(Math.max(...lagsMs)).toBeLessThan(SLACK_MS);
      // A slow machine does not delay every event. A wrong lease would.
      expect(Math.min(...lagsMs)).toBeLessThan(BEST_LAG_MS);
    });

    it("leaves the client a whole lease after renew", async () => {
      await connectAndWait("anouk");
      // Now the first lease has been renewed by a heartbeat and is partly used up.
      await waitForLeases();
      const renewedMs = performance.now();
      platform.renew("anouk");
      platform.disconnect("anouk");
      await expectChanges("anouk", "ONLINE", "OFFLINE");
      const offline = events.find(({ client, status }) => client === "anouk" && status === "OFFLINE");
      expect(offline?.receivedMs).toBeGreaterThan(renewedMs + LEASE_MS - CLOCK_TOLERANCE_MS);
    });

    it("makes renew a no-op", async () => {
      await connectAndWait("anouk");
      platform.disconnect("anouk");
      const renewing = setInterval(() => platform.renew("anouk"), HEARTBEAT_INTERVAL_MS / 4);
      await expectChanges("anouk", "ONLINE", "OFFLINE").finally(() => clearInterval(renewing));
    });

    it("publishes nothing if the client reconnects within its lease", async () => {
      platform.connect("anouk");
      platform.disconnect("anouk");
      platform.connect("anouk");
      await waitForLeases();
      expect(changesOf("anouk")).toEqual(["ONLINE"]);
    });

    it("allows a later reconnect, which publishes ONLINE again", async () => {
      platform.connect("anouk");
      platform.disconnect("anouk");
      await expectChanges("anouk", "ONLINE", "OFFLINE");
      platform.connect("anouk");
      await expectChanges("anouk", "ONLINE", "OFFLINE", "ONLINE");
    });

    it("does not affect other clients", async () => {
      platform.connect("anouk");
      platform.connect("magali");
      platform.disconnect("anouk");
      await expectChanges("anouk", "ONLINE", "OFFLINE");
      expect(changesOf("magali")).toEqual(["ONLINE"]);
    });
  });

  describe("leave", () => {
    it("publishes OFFLINE at once, and once for repeated calls", async () => {
      await connectAndWait("anouk");
      await platform.leave("anouk");
      const leftMs = performance.now();
      await expectChanges("anouk", "ONLINE", "OFFLINE");
      await platform.leave("anouk");
      await waitForLeases();
      const [, offline] = events;
      expect(changesOf("anouk")).toEqual(["ONLINE", "OFFLINE"]);
      expect(offline).toMatchObject({ reason: "left" });
      expect(offline?.receivedMs).toBeLessThan(leftMs + SLACK_MS);
    });

    it("publishes nothing for a client that is offline", async () => {
      await platform.leave("anouk");
      await waitForLeases();
      expect(changesOf("anouk")).toEqual([]);
    });

    it("allows an immediate reconnect", async () => {
      await connectAndWait("anouk");
      await platform.leave("anouk");
      platform.connect("anouk");
      await waitForLeases();
      expect(changesOf("anouk")).toEqual(["ONLINE", "OFFLINE", "ONLINE"]);
    });
  });

  describe("read", () => {
    it("returns OFFLINE with zero times and versions for a client never seen", async () => {
      expect(await presenceOf("unknown")).toEqual({
        client: "unknown",
        status: "OFFLINE",
        since: 0,
        version: 0,
        previousVersion: 0,
      });
    });

    it("returns the time of the last change", async () => {
      platform.connect("anouk");
      await expectChanges("anouk", "ONLINE");
      expect(await presenceOf("anouk")).toMatchObject({ client: "anouk", status: "ONLINE", since: events[0]?.at });
      await platform.leave("anouk");
      await expectChanges("anouk", "ONLINE", "OFFLINE");
      expect(await presenceOf("anouk")).toMatchObject({ client: "anouk", status: "OFFLINE", since: events[1]?.at });
    });

    it("returns the version of the client's last event", async () => {
      platform.connect("anouk");
      await expectChanges("anouk", "ONLINE");
      expect((await presenceOf("anouk"))?.version).toBe(events[0]?.version);
    });

    it("returns the version of the event before the last one", async () => {
      await connectAndWait("anouk");
      expect((await presenceOf("anouk"))?.previousVersion).toBe(0);
      await platform.leave("anouk");
      await expectChanges("anouk", "ONLINE", "OFFLINE");
      expect((await presenceOf("anouk"))?.previousVersion).toBe(events[0]?.version);
      await connectAndWait("anouk");
      expect((await presenceOf("anouk"))?.previousVersion).toBe(events[1]?.version);
    });

    it("shows no change for a client that leaves while it is offline", async () => {
      await platform.leave("anouk");
      expect(await presenceOf("anouk")).toMatchObject({ status: "OFFLINE", version: 0, previousVersion: 0 });
    });

    it("includes online guests if the interest does", async () => {
      const guests = { ...interestIn("anouk"), guests: true };
      platform.watch(guests);
      await platform.read(guests);
      platform.connect("guest");
      await expectChanges("guest", "ONLINE");
      expect(events.at(-1)).toMatchObject({ client: "guest", guest: true });
      const clientsOf = (snapshot: PresenceSnapshot) => snapshot.presences.map(({ client }) => client);
      expect(clientsOf(await platform.read(guests)).sort()).toEqual(["anouk", "guest"]);
      expect(clientsOf(await platform.read(interestIn("anouk")))).toEqual(["anouk"]);
      const { id: before } = await platform.read(guests);
      await platform.leave("guest");
      const after = await platform.read(guests);
      expect(clientsOf(after)).toEqual(["anouk"]);
      expect(after.completeSince).toBeGreaterThan(before.version);
    });

    it("returns one entry per requested client", async () => {
      const requested = ["anouk", "magali", "__proto__"];
      const { presences } = await platform.read(interestIn(...requested));
      expect(presences.map(({ client }) => client).sort()).toEqual(requested.sort());
    });

    it("contains exactly the events up to its version while presence changes", async () => {
      const client = "anouk";
      for (let round = 0; round < 50; round += 1) {
        const reading = platform.read(interestIn(client));
        if (round % 2 === 0) platform.connect(client);
        else await platform.leave(client);
        const { id, presences } = await reading;
        await eventually(() => expect(changesOf(client)).toHaveLength(round + 1));
        const contained = events.filter((event) => event.client === client && event.version <= id.version);
        expect(presences[0]?.status).toBe(contained.at(-1)?.status ?? "OFFLINE");
        expect(id.epoch).toBe(platform.head().epoch);
      }
    });
  });

  describe("the event order", () => {
    it("has strictly increasing versions and alternating events per client", async () => {
      const clients = ["anouk", "magali", "omar"];
      for (let round = 0; round < 20; round += 1) {
        for (const client of clients) await connectAndWait(client);
        for (const client of clients) await platform.leave(client);
        await eventually(() => expect(events).toHaveLength(6 * (round + 1)));
      }
      await eventually(() => expect(events).toHaveLength(120));
      for (const client of clients) expect(changesOf(client)).toEqual(Array(20).fill(["ONLINE", "OFFLINE"]).flat());
      const versions = events.map(({ version }) => version);
      expect(versions).toEqual([...new Set(versions)].sort((left, right) => left - right));
    });

    it("has no published event after the head", async () => {
      const before = platform.head().version;
      platform.connect("anouk");
      await eventually(() => expect(events).toHaveLength(1));
      expect(events[0]?.version).toBeGreaterThan(before);
      expect(events[0]?.version).toBeLessThanOrEqual(platform.head().version);
    });
  });

  it("calls no listener after it was removed", async () => {
    const received: PresenceEvent[] = [];
    const unsubscribe = platform.subscribe({
      onEvents: (batch) => received.push(...batch),
      onGap: () => {},
      onLost: () => {},
    });
    unsubscribe();
    platform.connect("anouk");
    await expectChanges("anouk", "ONLINE");
    expect(received).toEqual([]);
  });

  it("is ready", () => {
    expect(platform.readiness()).toMatchObject({ ready: true });
  });
}

function interestIn(...contacts: ClientId[]): Interest {
  return { contacts: new Set(contacts), everyone: false, guests: false };
}
