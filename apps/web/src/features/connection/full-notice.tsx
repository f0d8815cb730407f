import { useStore } from "zustand";
import { connectionStore } from "../../lib/live/connection-store.ts";
import { secondsUntil } from "../../lib/time/relative-time.ts";
import { Notice } from "../../ui/notice.tsx";
import { useTicking } from "../../ui/use-ticking.ts";

/** Shown in place of the contacts while a connection limit keeps this client from connecting. */
export function FullNotice({ onRetry }: { onRetry(): void }) {
  const view = useStore(connectionStore, (state) => state.view);
  const retryAtMs = view.kind === "full" ? view.retryAtMs : undefined;
  const when = useTicking((nowMs) => (retryAtMs === undefined ? "now" : `in ${secondsUntil(retryAtMs, nowMs)} s`));

  return (
    <Notice
      title="The server is full"
      actions={
        <button className="button" type="button" onClick={onRetry}>
          Try now
        </button>
      }
    >
      <p>It has reached its connection limit. Trying again {when}.</p>
    </Notice>
  );
}
