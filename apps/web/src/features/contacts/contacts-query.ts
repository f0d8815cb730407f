import type { ClientId } from "@presence/protocol";
import { queryOptions, useQuery } from "@tanstack/react-query";
import { fetchContacts } from "../../lib/api/api.ts";

/** The query key of all contact lists, to invalidate them. */
export const CONTACTS_KEY = "contacts";

/**
 * The profiles of `client` and its contacts. Statuses come from the event stream. After a session is renewed, the list is
 * fetched again and the previous list is shown meanwhile.
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
