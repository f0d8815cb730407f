import { useStore } from "zustand";
import { connectionStore } from "../../lib/live/connection-store.ts";
import { canRetry } from "../../lib/live/link-view.ts";
import { clockTimeWithSeconds } from "../../lib/time/local-time.ts";
import { useTicking } from "../../ui/use-ticking.ts";
import { connectionDescription, connectionLabelWithoutTime } from "./connection-text.ts";
import "./stale-banner.css";

/** Shows that the list is out of date, when it was last up to date, and the state of the connection. */
export function StaleBanner({ onRetry }: { onRetry(): void }) {
  const { view, asOfMs } = useStore(connectionStore);
  const label = useTicking((nowMs) => connectionLabelWithoutTime(view, nowMs));

  return (
    <div className="stale-banner">
      <p>
        <strong>{asOfMs === undefined ? "Not connected yet" : `As of ${clockTimeWithSeconds(asOfMs)}`}</strong>
        <span className="stale-banner__label">{label}</span>
        {view.kind === "not-loaded" && <span className="stale-banner__label">{connectionDescription(view)}</span>}
      </p>
      {canRetry(view) && (
        <button className="button" type="button" onClick={onRetry}>
          Try now
        </button>
      )}
    </div>
  );
}
