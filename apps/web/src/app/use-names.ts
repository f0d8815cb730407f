import type { ClientId, Profile } from "@presence/protocol";
import { useCallback, useMemo, useRef } from "react";

/** Names by id, of everyone who is or was among `profiles`: a guest who has left is still spoken of. */
export function useNames(profiles: readonly Profile[] | undefined): (client: ClientId) => string {
  const known = useRef(new Map<ClientId, string>());
  const names = useMemo(() => {
    for (const { id, name } of profiles ?? []) known.current.set(id, name);
    return new Map(known.current);
  }, [profiles]);
  return useCallback((client) => names.get(client) ?? client, [names]);
}
