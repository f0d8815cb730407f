import { useStore } from "zustand";
import { connectionStore } from "../../lib/live/connection-store.ts";
import { secondsUntil } from "../../lib/time/relative-time.ts";
import { Notice } from "../../ui/notice.tsx";
import { useTicking } from "../../ui/use-ticking.ts";

/** Shown in place of the contacts while the part of the page that connects to the server can't be loaded. */
export function NotLoadedNotice({ onRetry }: { onRetry(): void }) {
  const view = useStore(connectionStore, (state) => state.view);
  const retryAtMs = view.kind === "not-loaded" ? view.retryAtMs : undefined;
  const when = useTicking((nowMs) => (retryAtMs === undefined ? "now" : `in ${secondsUntil(retryAtMs, nowMs)} s`));

  return (
    <Notice
      title="A part of this page couldn’t be loaded"
      actions={
        <>
          <button className="button button--primary" type="button" onClick={onRetry}>
            Try now
          </button>
          <button className="button" type="button" onClick={() => location.reload()}>
            Reload the page
          </button>
        </>
      }
    >
      <p>
        Either the server can’t be reached, or it has a new version of this page. Trying again {when}. If that doesn’t
        help, reload the page.
      </p>
    </Notice>
  );
}
