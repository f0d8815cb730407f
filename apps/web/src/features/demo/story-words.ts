import type { ClientId, Status } from "@presence/protocol";
import { formatDuration } from "../../lib/time/relative-time.ts";
import type { PressKind, Seen, Story } from "./demo-log.ts";

type NameOf = (client: ClientId) => string;

/** A story in two sentences: what happened, and who saw it how fast. */
export function tell(story: Story, nameOf: NameOf): { headline: string; detail: string } {
  if (story.kind === "calm") {
    const name = nameOf(story.press.client);
    return { headline: `${name} reloaded, and nobody saw ${name} leave`, detail: "The lease outlives a reload." };
  }
  const { happening, cause } = story;
  const name = nameOf(happening.subject);
  const outcome = OUTCOMES[happening.status];
  const headline =
    cause === undefined
      ? `${name} is ${outcome}`
      : `${name}${CAUSE_WORDS[cause.kind]}: ${outcome} ${formatDuration(happening.atMs - cause.atMs)} later`;
  return { headline, detail: witnesses(happening.seen, nameOf) };
}

const OUTCOMES: Record<Status, string> = { ONLINE: "online", OFFLINE: "offline" };

const CAUSE_WORDS: Record<PressKind, string> = {
  close: "’s tab was closed",
  open: "’s tab was opened",
  reload: " reloaded",
  cut: "’s network was cut",
  restore: "’s network came back",
  "sign-out": " signed out",
  "sign-in": " signed in",
};

/** `Anouk saw it 3 ms after, Magali 4 ms after.` */
function witnesses(seen: readonly Seen[], nameOf: NameOf): string {
  const [first, ...others] = seen.map(({ viewer, delayMs }) => ({
    name: nameOf(viewer),
    delay: formatDuration(delayMs),
  }));
  if (first === undefined) return "";
  const rest = others.map(({ name, delay }) => `, ${name} ${delay} after`).join("");
  return `${first.name} saw it ${first.delay} after it happened${rest}.`;
}
