import type { ClientId, Status } from "@presence/protocol";

/**
 * What is said aloud about a batch of changes: the last status of each client, named when they are few, counted when
 * they are many. `Magali came online. Omar and 2 others left.`
 */
export function announcement(
  changes: readonly { client: ClientId; status: Status }[],
  nameOf: (client: ClientId) => string,
): string {
  const last = new Map(changes.map(({ client, status }) => [client, status]));
  const withStatus = (wanted: Status) => [...last].filter(([, status]) => status === wanted).map(([client]) => client);
  return [
    sentence(withStatus("ONLINE").map(nameOf), "came online"),
    sentence(withStatus("OFFLINE").map(nameOf), "left"),
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
