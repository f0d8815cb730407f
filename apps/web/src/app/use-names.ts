import type { ClientId, Profile } from "@presence/protocol";
import { useCallback, useMemo, useRef } from "react";

/**
 * Returns a function from client id to name. It remembers all profiles it has seen, because the activity list still
 * shows guests that have left. The name of an unknown client is its id.
 */
export function useNames(profiles: readonly Profile[] | undefined): (client: ClientId) => string {
  const seen = useRef(new Map<ClientId, string>());
  const names = useMemo(() => {
    for (const { id, name } of profiles ?? []) seen.current.set(id, name);
    return new Map(seen.current);
  }, [profiles]);
  return useCallback((client) => names.get(client) ?? client, [names]);
}
