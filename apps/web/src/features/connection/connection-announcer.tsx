import { useEffect, useState } from "react";
import { connectionStore } from "../../lib/live/connection-store.ts";

/** Announces a lost and a restored connection to assistive technology. */
export function ConnectionAnnouncer() {
  const [text, setText] = useState("");

  useEffect(
    () =>
      connectionStore.subscribe((state, previous) => {
        if (state.isStale === previous.isStale) return;
        if (state.isStale) setText("The connection is lost. What you see may be out of date.");
        else if (state.view.kind === "live") setText("You’re connected again.");
      }),
    [],
  );

  return (
    <p className="visually-hidden" role="status">
      {text}
    </p>
  );
}
