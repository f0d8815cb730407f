import { useId } from "react";
import { useStore } from "zustand";
import { connectionStore } from "../../lib/live/connection-store.ts";
import { canRetry, connectionStatus } from "../../lib/live/link-view.ts";
import { clockTime, clockTimeWithSeconds } from "../../lib/time/local-time.ts";
import { useTicking } from "../../ui/use-ticking.ts";
import { connectionDescription, connectionLabel } from "./connection-text.ts";
import "./connection-pill.css";

interface ConnectionPillProps {
  onRetry(): void;
}

/** The state of the user's connection. A click opens its details. */
export function ConnectionPill({ onRetry }: ConnectionPillProps) {
  const view = useStore(connectionStore, (state) => state.view);
  const label = useTicking((nowMs) => connectionLabel(view, nowMs));
  const popover = useId();

  return (
    <div className="connection" data-testid="connection" data-state={connectionStatus(view)}>
      <button className="connection__pill" type="button" popoverTarget={popover}>
        <span className="connection__dot" aria-hidden="true" />
        <span className="visually-hidden">My connection: </span>
        {label}
      </button>
      <div id={popover} popover="auto" className="popover connection__details">
        <h2 className="popover__title">{label}</h2>
        <p className="popover__text">{connectionDescription(view)}</p>
        <ConnectionFacts />
        {canRetry(view) && (
          <button className="button" type="button" onClick={onRetry}>
            Try now
          </button>
        )}
      </div>
    </div>
  );
}

function ConnectionFacts() {
  const { view, tabCount, inUse, asOfMs } = useStore(connectionStore);
  const people = inUse.size;

  return (
    <dl className="facts">
      {view.kind === "live" && (
        <div>
          <dt>Live since</dt>
          <dd>{clockTime(view.sinceMs)}</dd>
        </div>
      )}
      {view.kind !== "live" && asOfMs !== undefined && (
        <div>
          <dt>{view.kind === "stale" ? "Statuses as of" : "Last contact with the server"}</dt>
          <dd>{clockTimeWithSeconds(asOfMs)}</dd>
        </div>
      )}
      <div>
        <dt>Used by</dt>
        <dd>
          {tabCount === 1 ? "this tab only" : `${tabCount} tabs`}
          {people > 1 && `, ${people} people`}
        </dd>
      </div>
    </dl>
  );
}
