import { describe, expect, it } from "vitest";
import { Connection } from "./connection.ts";
import type { EventSink } from "./event-sink.ts";
import { FlushScheduler } from "./flush-scheduler.ts";
import { PushRegistry } from "./push-registry.ts";

const NULL_SINK: EventSink = {
  bufferedBytes: 0,
  lastProgressMs: 0,
  write: () => {},
  end: () => {},
  destroy: () => {},
  onClose: () => {},
};
const OPTIONS = {
  scheduler: new FlushScheduler({ maxDelayMs: 5, maxDelayUnderLagMs: 5 }),
  maxBufferedBytes: 0,
  maxDeferredEvents: 0,
};

describe("PushRegistry", () => {
  it("lists a client's connections, and counts the client until the last one is removed", () => {
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

  it("visits the viewers of a contact once each, and not the contact itself", () => {
    const registry = new PushRegistry();
    const anouk = connection("anouk", ["magali"]);
    const omar = connection("omar", ["anouk"]);
    const magali = connection("magali", ["magali"]);
    const guest = connection("guest", ["anouk", "magali", "omar"], { everyone: true });
    for (const each of [anouk, omar, magali, guest]) registry.add(each);
    expect(viewersOf(registry, "magali", { isGuest: false })).toEqual([anouk, guest]);
    expect(viewersOf(registry, "guest", { isGuest: true })).toEqual([anouk, omar, magali]);
    registry.remove(anouk);
    registry.remove(guest);
    expect(viewersOf(registry, "magali", { isGuest: false })).toEqual([]);
  });

  it("visits the viewers of a guest only if their lists include guests, or the guest itself", () => {
    const registry = new PushRegistry();
    const stranger = connection("carol", [], { guests: false });
    const viewer = connection("alice", ["bob"], { guests: false });
    const both = connection("dave", ["bob"], { guests: true });
    for (const each of [stranger, viewer, both]) registry.add(each);
    expect(viewersOf(registry, "bob", { isGuest: true })).toEqual([both, viewer]);
    registry.remove(both);
    expect(viewersOf(registry, "bob", { isGuest: true })).toEqual([viewer]);
  });

  it("handles ids that are property names of objects", () => {
    const registry = new PushRegistry();
    expect(viewersOf(registry, "__proto__", { isGuest: false })).toEqual([]);
    const viewer = connection("constructor", ["__proto__"]);
    registry.add(viewer);
    expect(viewersOf(registry, "__proto__", { isGuest: false })).toEqual([viewer]);
  });
});

function viewersOf(registry: PushRegistry, client: string, { isGuest }: { isGuest: boolean }): Connection[] {
  const viewers: Connection[] = [];
  registry.forEachViewerOf({ client, guest: isGuest }, (viewer) => viewers.push(viewer));
  return viewers;
}

function connection(client: string, contacts: string[], { everyone = false, guests = true } = {}): Connection {
  return new Connection(
    { client, list: { owner: client, contacts: new Set(contacts), everyone, guests } },
    NULL_SINK,
    OPTIONS,
    0,
  );
}
