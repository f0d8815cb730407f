import { contactKey, downstreamKey, HEARTBEAT_KEY, leaseKey } from "@presence/protocol";
import fc from "fast-check";
import { junk, names, strangers } from "./names.ts";

/** One Redis command: its name and arguments. */
export type Command = readonly [string, ...(string | Buffer)[]];

const SIGNED_OUT_CHANNEL = "presence:signed-out";

/**
 * Hostile writes into Redis: invalid stream entries, and values of the wrong type under the platform's keys. They change
 * contact documents only of strangers, because the contacts of the checked clients must stay known.
 *
 * @param clients the clients whose viewers are checked
 * @param servers ids of the servers
 */
export function hostileCommands(clients: readonly string[], servers: readonly string[]): fc.Arbitrary<Command[]> {
  const name = names(clients);
  const server = fc.constantFrom(...servers, "evil");
  const field = fc.oneof(
    { weight: 6, arbitrary: fc.constant("client") },
    fc.constantFrom("server", "", "Client"),
    name,
  );
  const pairs = fc.array(fc.tuple(field, name), { maxLength: 30 }).map((each) => each.flat());
  const heartbeat = fc
    .tuple(
      fc.oneof(
        server.map((id) => ["server", id]),
        fc.constant([]),
      ),
      pairs,
    )
    .filter(([first, rest]) => first.length + rest.length > 0)
    .map(([first, rest]): Command[] => [["XADD", HEARTBEAT_KEY, "*", ...first, ...rest]]);
  const hugeHeartbeat = fc
    .tuple(server, fc.nat({ max: 3_000 }), fc.constantFrom("client", "field"))
    .map(([id, count, each]): Command[] => [
      [
        "XADD",
        HEARTBEAT_KEY,
        "*",
        "server",
        id,
        ...Array.from({ length: count }, (_, index) => [each, `huge-${index}`]).flat(),
      ],
    ]);
  const event = fc
    .tuple(server, fc.subarray(["client", "status", "at", "reason", "version", "sequence", "epoch", "due"]), name, junk)
    .map(([id, fields, value, bytes]): Command[] => [
      ["XADD", downstreamKey(id), "*", "junk", bytes, ...fields.flatMap((each) => [each, value])],
    ]);
  const key = fc.oneof(name.map(leaseKey), strangers.map(contactKey), server.map(downstreamKey));
  const wrongType = fc
    .tuple(key, junk, fc.constantFrom("RPUSH", "SADD", "HSET", "ZADD", "SET", "XADD", "none"))
    .map(([target, bytes, kind]): Command[] => [["DEL", target], ...ofKind(kind, target, bytes)]);
  const document = fc.tuple(strangers, strangers, fc.nat(3)).map(([id, contact, shape]): Command[] => [
    ["DEL", contactKey(id)],
    ["SET", contactKey(id), JSON.stringify(DOCUMENTS[shape]?.(id, contact))],
  ]);
  const lease = fc
    .tuple(name, server, fc.constantFrom("1", "50", "5000"))
    .map(([client, id, ms]): Command[] => [["SET", leaseKey(client), id, "PX", ms]]);
  const signOut = junk.map((bytes): Command[] => [["PUBLISH", SIGNED_OUT_CHANNEL, bytes]]);
  // Huge heartbeats are slow, so only some sixty of them are sent.
  return fc.oneof(
    { weight: 32, arbitrary: heartbeat },
    { weight: 1, arbitrary: hugeHeartbeat },
    { weight: 12, arbitrary: event },
    { weight: 16, arbitrary: wrongType },
    { weight: 4, arbitrary: document },
    { weight: 8, arbitrary: lease },
    { weight: 4, arbitrary: signOut },
  );
}

const DOCUMENTS = [
  (id: string, contact: string) => ({ id, name: "x".repeat(1_000_000), contacts: [contact] }),
  (id: string, contact: string) => ({ id, name: id, contacts: { [contact]: contact } }),
  (id: string, contact: string) => ({ id, name: `<img src=x onerror=alert(1)>`, contacts: [contact, id, id] }),
  (id: string, contact: string) => ({
    id,
    name: id,
    contacts: Array.from({ length: 20_000 }, (_, n) => `${contact}${n}`),
  }),
];

function ofKind(kind: string, key: string, bytes: Buffer): Command[] {
  switch (kind) {
    case "HSET":
      return [["HSET", key, "field", bytes]];
    case "ZADD":
      return [["ZADD", key, "1", bytes]];
    case "XADD":
      return [["XADD", key, "*", "field", bytes]];
    case "none":
      return [];
    default:
      return [[kind, key, bytes]];
  }
}
