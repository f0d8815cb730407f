import { queryOptions, useQuery } from "@tanstack/react-query";
import { fetchPeople } from "../../lib/api/api.ts";

/** Whom one may be: the roster, or word that this server wants a token instead. */
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
