import { useEffect, useState } from "react";
import { connectionStore } from "../../lib/live/connection-store.ts";

/** Tells assistive technology when what the page shows stops being true, and when it is again. */
export function ConnectionAnnouncer() {
  const [said, setSaid] = useState("");

  useEffect(
    () =>
      connectionStore.subscribe((state, previous) => {
        if (state.isStale === previous.isStale) return;
        if (state.isStale) setSaid("Your connection is gone. What you see may be out of date.");
        else if (state.view.kind === "live") setSaid("You’re connected again.");
      }),
    [],
  );

  return (
    <p className="visually-hidden" role="status">
      {said}
    </p>
  );
}
