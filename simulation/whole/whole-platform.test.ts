import type { PresenceEvent } from "@presence/protocol";
import { expect, onTestFinished, test } from "vitest";
import type { RedisPresencePlatform } from "../../apps/server/src/presence/redis/redis-presence-platform.ts";
import { installVirtualTime, type VirtualTime } from "../virtual-time.ts";
import { WholePlatform } from "./whole-platform.ts";

const INTERVAL_MS = 1_000;
const LEASE_MS = 1_500;
const HOLD_MS = 1_250;

const EVERYONE = { contacts: new Set<string>(), everyone: true, guests: true };

interface Setup {
  time: VirtualTime;
  platform: WholePlatform;
  /** Where clients connect. */
  first: RedisPresencePlatform;
  /** `client STATUS` of each event at the other server. */
  events: string[];
}

async function start(seed: number): Promise<Setup> {
  const time = installVirtualTime(seed);
  onTestFinished(() => time.uninstall());
  const platform = new WholePlatform(INTERVAL_MS);
  platform.startHost();
  platform.startHost();
  const starting = Promise.all([platform.startServer("first"), platform.startServer("second")]);
  await time.pass(100);
  const [first, second] = await starting;
  const events: string[] = [];
  second.subscribe({
    onEvents: (received: readonly PresenceEvent[]) => {
      events.push(...received.map(({ client, status }) => `${client} ${status}`));
    },
    onGap: () => {},
    onLost: () => {},
  });
  second.watch(EVERYONE);
  await time.pass(100);
  return { time, platform, first, events };
}

test.each([1, 2, 3])("a client is ONLINE at once, and OFFLINE when its lease ends (seed %d)", async (seed) => {
  const { time, first, events } = await start(seed);
  first.connect("anouk");
  await time.pass(50);
  expect(events).toEqual(["anouk ONLINE"]);
  await time.pass(10 * INTERVAL_MS);
  first.disconnect("anouk");
  await time.pass(LEASE_MS - INTERVAL_MS - 100);
  expect(events).toEqual(["anouk ONLINE"]);
  await time.pass(INTERVAL_MS + 200);
  expect(events).toEqual(["anouk ONLINE", "anouk OFFLINE"]);
});

test.each([4, 5, 6])(
  "Redis stands still for four intervals, and no connected client goes OFFLINE (seed %d)",
  async (seed) => {
    const { time, platform, first, events } = await start(seed);
    first.connect("anouk");
    first.connect("magali");
    await time.pass(INTERVAL_MS);
    platform.network.pause();
    await time.pass(4 * INTERVAL_MS);
    first.disconnect("magali");
    platform.network.resume();
    await time.pass(HOLD_MS + LEASE_MS + INTERVAL_MS);
    expect(events.toSorted()).toEqual(["anouk ONLINE", "magali OFFLINE", "magali ONLINE"]);
  },
);

test.each([7, 8, 9])("a replica attaches between two hosts, and clients still go OFFLINE (seed %d)", async (seed) => {
  const { time, platform, first, events } = await start(seed);
  platform.redis.changeReplicationId();
  platform.startHost();
  first.connect("anouk");
  await time.pass(INTERVAL_MS);
  first.disconnect("anouk");
  await time.pass(LEASE_MS + INTERVAL_MS);
  expect(events).toEqual(["anouk ONLINE", "anouk OFFLINE"]);
});
