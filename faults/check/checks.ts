import type { ClientId } from "@presence/protocol";
import type { ViewerState } from "./viewer-state.ts";

/** Describes each time that a viewer saw one of these clients go OFFLINE. */
export function departures(states: readonly ViewerState[], clients: ReadonlySet<ClientId>): string[] {
  return states.flatMap(({ viewer, transitions }) =>
    transitions
      .filter(({ client, status }) => status === "OFFLINE" && clients.has(client))
      .map(({ client, since, source }) => `${viewer} saw ${client} go OFFLINE at ${since} (${source})`),
  );
}

/** Describes each message that a viewer should not have received. */
export function violations(states: readonly ViewerState[]): string[] {
  return states.flatMap((state) => state.violations);
}

/**
 * Describes where viewers disagree with the leases. They may while things change; at rest the result must be empty.
 *
 * @param contactsOf the contacts of each viewer
 * @param leases the clients that have one
 */
export function differences(
  states: readonly ViewerState[],
  contactsOf: (viewer: ClientId) => Iterable<ClientId>,
  leases: ReadonlySet<ClientId>,
): string[] {
  return states.flatMap((state) =>
    [...contactsOf(state.viewer)].flatMap((client) => {
      const expected = leases.has(client) ? "ONLINE" : "OFFLINE";
      const shown = state.statusOf(client);
      return shown === expected ? [] : [`${state.viewer} sees ${client} ${shown} instead of ${expected}`];
    }),
  );
}
