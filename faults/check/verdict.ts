import type { ClientId } from "@presence/protocol";
import type { Transition, ViewerPicture } from "./viewer-picture.ts";

/** Who went, of those named, before the eyes of any viewer: nobody, where nothing flapped. In words. */
export function departures(pictures: readonly ViewerPicture[], of: ReadonlySet<ClientId>): string[] {
  return pictures.flatMap(({ viewer, transitions }) =>
    transitions
      .filter(({ client, status }) => status === "OFFLINE" && of.has(client))
      .map((transition) => describeDeparture(viewer, transition)),
  );
}

/** Everything that was wrong with what the viewers were told, in words. */
export function violations(pictures: readonly ViewerPicture[]): string[] {
  return pictures.flatMap((picture) => picture.violations);
}

/**
 * Where what the viewers see differs from the truth. It may while things change; at rest nothing may be named here.
 *
 * @param contactsOf whom each viewer sees
 * @param leases who has one
 * @returns the differences, in words
 */
export function differences(
  pictures: readonly ViewerPicture[],
  contactsOf: (viewer: ClientId) => Iterable<ClientId>,
  leases: ReadonlySet<ClientId>,
): string[] {
  return pictures.flatMap((picture) =>
    [...contactsOf(picture.viewer)].flatMap((client) => {
      const truth = leases.has(client) ? "ONLINE" : "OFFLINE";
      const shown = picture.statusOf(client);
      return shown === truth ? [] : [`${picture.viewer} sees ${client} ${shown}, who is ${truth}`];
    }),
  );
}

function describeDeparture(viewer: ClientId, { client, since, learnedBy }: Transition): string {
  return `${viewer} saw ${client} go at ${since} (by ${learnedBy === "event" ? "an event" : "a snapshot"})`;
}
