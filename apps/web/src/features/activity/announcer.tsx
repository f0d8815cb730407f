import type { ClientId } from "@presence/protocol";
import { useEffect, useRef, useState } from "react";
import { type ActivityEntry, activityStore } from "./activity-store.ts";
import { announcement } from "./announcement.ts";

/** Changes within this long of the first are said in one go. */
const BATCH_MS = 1500;

/** Tells assistive technology who came and went: politely, and never more than a sentence or two at a time. */
export function Announcer({ nameOf }: { nameOf(client: ClientId): string }) {
  const [said, setSaid] = useState("");
  const latestNameOf = useRef(nameOf);
  latestNameOf.current = nameOf;

  useEffect(() => {
    let batch: ActivityEntry[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;

    function say(): void {
      timer = undefined;
      setSaid(announcement(batch, latestNameOf.current));
      batch = [];
    }

    const unsubscribe = activityStore.subscribe((state, previous) => {
      const known = new Set(previous.entries);
      batch.push(...state.entries.filter((entry) => !known.has(entry)).reverse());
      if (batch.length > 0) timer ??= setTimeout(say, BATCH_MS);
    });
    return () => {
      unsubscribe();
      clearTimeout(timer);
    };
  }, []);

  return (
    <p className="visually-hidden" role="status" data-testid="announcer">
      {said}
    </p>
  );
}
