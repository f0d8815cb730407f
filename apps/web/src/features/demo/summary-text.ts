import type { ClientId, Status } from "@presence/protocol";
import { formatDuration } from "../../lib/time/relative-time.ts";
import type { ActionKind, Observation, Summary } from "./demo-log.ts";

type NameOf = (client: ClientId) => string;

/** A summary as text: what happened, and how fast the others saw it. */
export function summaryText(summary: Summary, nameOf: NameOf): { headline: string; detail: string } {
  if (summary.kind === "unnoticed-reload") {
    const name = nameOf(summary.action.client);
    return {
      headline: `${name} reloaded, and the others saw no change`,
      detail: "The lease lasts longer than a reload.",
    };
  }
  const { change, cause } = summary;
  const name = nameOf(change.subject);
  const outcome = STATUS_TEXT[change.status];
  const headline =
    cause === undefined
      ? `${name} is ${outcome}`
      : `${name}${CAUSE_TEXT[cause.kind]}: ${outcome} ${formatDuration(change.atMs - cause.atMs)} later`;
  return { headline, detail: observersText(change.observations, nameOf) };
}

const STATUS_TEXT: Record<Status, string> = { ONLINE: "online", OFFLINE: "offline" };

const CAUSE_TEXT: Record<ActionKind, string> = {
  close: "’s tab was closed",
  open: "’s tab was opened",
  reload: " reloaded",
  cut: "’s network was cut",
  restore: "’s network came back",
  "sign-out": " signed out",
  "sign-in": " signed in",
};

/** `Anouk saw it after 3 ms, Magali after 4 ms.` */
function observersText(observations: readonly Observation[], nameOf: NameOf): string {
  const [first, ...others] = observations.map(({ viewer, delayMs }) => ({
    name: nameOf(viewer),
    delay: formatDuration(delayMs),
  }));
  if (first === undefined) return "";
  const rest = others.map(({ name, delay }) => `, ${name} after ${delay}`).join("");
  return `${first.name} saw it after ${first.delay}${rest}.`;
}
