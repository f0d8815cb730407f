import type { ClientId } from "@presence/protocol";

/**
 * The client that 'Open another client' opens: the next one in the roster after `me` that isn't open in this browser. If
 * all are open, it is the first free `guest-n`.
 */
export function nextPerson(roster: readonly ClientId[], me: ClientId, inUse: ReadonlySet<ClientId>): ClientId {
  const start = roster.indexOf(me) + 1;
  const inOrder = [...roster.slice(start), ...roster.slice(0, start)];
  const free = inOrder.find((client) => client !== me && !inUse.has(client));
  return free ?? freeGuest(me, inUse);
}

function freeGuest(me: ClientId, inUse: ReadonlySet<ClientId>): ClientId {
  for (let number = 1; ; number++) {
    const guest = `guest-${number}`;
    if (guest !== me && !inUse.has(guest)) return guest;
  }
}
