import type { ClientId } from "@presence/protocol";
import { queryOptions, useQuery } from "@tanstack/react-query";
import { fetchContacts } from "../../lib/api/api.ts";

/** All lists of contacts, to invalidate them. */
export const CONTACTS_KEY = "contacts";

/**
 * Who `client` is and whom they see: profiles only, since statuses come by the stream. A renewed session reads it again
 * and shows the old list meanwhile.
 */
function contactsQuery(client: ClientId, token: string | undefined) {
  return queryOptions({
    queryKey: [CONTACTS_KEY, client, token],
    queryFn: ({ signal }) => fetchContacts(token ?? "", signal),
    enabled: token !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
    placeholderData: (previous, query) => (query?.queryKey[1] === client ? previous : undefined),
  });
}

export function useContacts(client: ClientId, token: string | undefined) {
  return useQuery(contactsQuery(client, token));
}
