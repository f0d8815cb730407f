import type { ClientId, PresenceEvent } from "@presence/protocol";
import type { Interest } from "../presence/presence-platform.ts";

/** The clients whose presence the owner sees, without the owner. A guest's list has all clients with a document. */
export interface ContactList extends Interest {
  owner: ClientId;
}

/** Whether the owner of the list may see the client: the only rule of visibility. */
export function canSee(
  { owner, contacts, everyone, guests }: ContactList,
  { client, guest }: Pick<PresenceEvent, "client" | "guest">,
): boolean {
  return client !== owner && ((guest && guests) || everyone || contacts.has(client));
}
