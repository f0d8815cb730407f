import type { ClientId, Status } from "@presence/protocol";

/**
 * The announcement of a batch of changes: the last status of each client. Two clients are named; of more than two, one is
 * named and the others are counted. `Magali came online. Omar and 2 others went offline.`
 */
export function announcementText(
  changes: readonly { client: ClientId; status: Status }[],
  nameOf: (client: ClientId) => string,
): string {
  const last = new Map(changes.map(({ client, status }) => [client, status]));
  const withStatus = (expected: Status) =>
    [...last].filter(([, status]) => status === expected).map(([client]) => client);
  return [
    sentence(withStatus("ONLINE").map(nameOf), "came online"),
    sentence(withStatus("OFFLINE").map(nameOf), "went offline"),
  ]
    .filter((part) => part !== "")
    .join(" ");
}

function sentence(names: string[], verb: string): string {
  const [first, second] = names;
  if (first === undefined) return "";
  if (second === undefined) return `${first} ${verb}.`;
  if (names.length === 2) return `${first} and ${second} ${verb}.`;
  return `${first} and ${names.length - 1} others ${verb}.`;
}
