import { describe, expect, it } from "vitest";
import { Connection } from "./connection.ts";
import type { EventSink } from "./event-sink.ts";
import { FlushScheduler } from "./flush-scheduler.ts";
import { PushRegistry } from "./push-registry.ts";

const NOWHERE: EventSink = {
  waitingBytes: 0,
  lastProgressMs: 0,
  write: () => {},
  end: () => {},
  destroy: () => {},
  onClose: () => {},
};
const OPTIONS = {
  scheduler: new FlushScheduler({ maxDelayMs: 5, maxDelayUnderLagMs: 5 }),
  maxWaitingBytes: 0,
  maxHeldEvents: 0,
};

describe("PushRegistry", () => {
  it("knows a client's connections, and the client until the last has gone", () => {
    const registry = new PushRegistry();
    const [first, second] = [connection("anouk", []), connection("anouk", [])];
    registry.add(first);
    registry.add(second);
    expect([...registry.connectionsOf("anouk")]).toEqual([first, second]);
    expect([registry.connectionCount, registry.clientCount]).toEqual([2, 1]);
    registry.remove(first);
    expect([...registry.connectionsOf("anouk")]).toEqual([second]);
    registry.remove(second);
    expect([registry.connectionCount, registry.clientCount]).toEqual([0, 0]);
  });

  it("finds just the watchers of a contact, once each, and never the contact", () => {
    const registry = new PushRegistry();
    const anouk = connection("anouk", ["magali"]);
    const omar = connection("omar", ["anouk"]);
    const magali = connection("magali", ["magali"]);
    const guest = connection("guest", ["anouk", "magali", "omar"], { everyone: true });
    for (const each of [anouk, omar, magali, guest]) registry.add(each);
    expect(watchersOf(registry, "magali", { isGuest: false })).toEqual([anouk, guest]);
    expect(watchersOf(registry, "guest", { isGuest: true })).toEqual([anouk, omar, magali]);
    registry.remove(anouk);
    registry.remove(guest);
    expect(watchersOf(registry, "magali", { isGuest: false })).toEqual([]);
  });

  it("is not confused by names that objects know", () => {
    const registry = new PushRegistry();
    expect(watchersOf(registry, "__proto__", { isGuest: false })).toEqual([]);
    const watcher = connection("constructor", ["__proto__"]);
    registry.add(watcher);
    expect(watchersOf(registry, "__proto__", { isGuest: false })).toEqual([watcher]);
  });
});

function watchersOf(registry: PushRegistry, client: string, { isGuest }: { isGuest: boolean }): Connection[] {
  const watchers: Connection[] = [];
  registry.forEachWatcherOf(client, { isGuest }, (watcher) => watchers.push(watcher));
  return watchers;
}

function connection(client: string, contacts: string[], { everyone = false } = {}): Connection {
  return new Connection(
    { client, list: { owner: client, contacts: new Set(contacts), everyone, guests: true } },
    NOWHERE,
    OPTIONS,
    0,
  );
}
