import type { ClientId } from "@presence/protocol";
import { useEffect, useRef, useState } from "react";
import { type ActivityEntry, activityStore } from "./activity-store.ts";
import { announcementText } from "./announcement-text.ts";

/** Changes within this time of the first one are announced together. */
const BATCH_MS = 1500;

/** Announces changes of presence to assistive technology in a polite live region. */
export function Announcer({ nameOf }: { nameOf(client: ClientId): string }) {
  const [text, setText] = useState("");
  const latestNameOf = useRef(nameOf);
  latestNameOf.current = nameOf;

  useEffect(() => {
    let batch: ActivityEntry[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;

    function announce(): void {
      timer = undefined;
      setText(announcementText(batch, latestNameOf.current));
      batch = [];
    }

    const unsubscribe = activityStore.subscribe((state, previous) => {
      const known = new Set(previous.entries);
      batch.push(...state.entries.filter((entry) => !known.has(entry)).reverse());
      if (batch.length > 0) timer ??= setTimeout(announce, BATCH_MS);
    });
    return () => {
      unsubscribe();
      clearTimeout(timer);
    };
  }, []);

  return (
    <p className="visually-hidden" role="status" data-testid="announcer">
      {text}
    </p>
  );
}
