import { useEffect, useState } from "react";
import { connectionStore } from "../../lib/live/connection-store.ts";
import type { LinkView } from "../../lib/live/link-view.ts";

/** Announces a lost and a restored connection to assistive technology. */
export function ConnectionAnnouncer() {
  const [text, setText] = useState("");

  useEffect(
    () =>
      connectionStore.subscribe((state, previous) => {
        if (state.isStale === previous.isStale) return;
        if (state.isStale) setText(`${lossOf(state.view)} What you see may be out of date.`);
        else if (state.view.kind === "live") setText("You receive updates again.");
      }),
    [],
  );

  return (
    <p className="visually-hidden" role="status">
      {text}
    </p>
  );
}

function lossOf(view: LinkView): string {
  return view.kind === "stale" ? "The server sends no updates at the moment." : "The connection is lost.";
}
