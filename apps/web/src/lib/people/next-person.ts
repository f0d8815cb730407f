import type { ClientId } from "@presence/protocol";

/**
 * Whom 'open another client' opens: the next of the roster after `me` who isn't in use in this browser, and once all
 * are, the first free `guest-n`.
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
