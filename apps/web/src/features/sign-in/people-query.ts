import { queryOptions, useQuery } from "@tanstack/react-query";
import { fetchPeople } from "../../lib/api/api.ts";

/** The people to sign in as in demo mode, or `issuer` if the server requires an issuer's token. */
const peopleQuery = queryOptions({
  queryKey: ["people"],
  queryFn: async ({ signal }) => {
    const people = await fetchPeople(signal);
    return people === undefined ? ({ mode: "issuer" } as const) : ({ mode: "demo", people } as const);
  },
  staleTime: Number.POSITIVE_INFINITY,
});

export function usePeople() {
  return useQuery(peopleQuery);
}
