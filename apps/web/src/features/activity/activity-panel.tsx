import type { ClientId } from "@presence/protocol";
import { memo, useRef } from "react";
import { useStore } from "zustand";
import { clockTime, clockTimeWithSeconds } from "../../lib/time/local-time.ts";
import { relativeTime } from "../../lib/time/relative-time.ts";
import { Avatar } from "../../ui/avatar.tsx";
import { useTicking } from "../../ui/use-ticking.ts";
import { type ActivityEntry, activityStore } from "./activity-store.ts";
import { useIncrementalList } from "./use-incremental-list.ts";
import "./activity-panel.css";

interface ActivityPanelProps {
  nameOf(client: ClientId): string;
  /** When this page was opened, ms since the epoch. */
  sinceMs: number;
}

/** The latest changes of contacts' presence. */
export function ActivityPanel({ nameOf, sinceMs }: ActivityPanelProps) {
  const entries = useStore(activityStore, (state) => state.entries);
  const end = useRef<HTMLLIElement>(null);
  const { count, onScroll } = useIncrementalList(end, entries.length);

  return (
    <section className="activity" aria-label="Activity">
      <h2 className="activity__heading">Activity</h2>
      {entries.length === 0 ? (
        <p className="activity__empty">
          No changes since {clockTime(sinceMs)}. When a contact comes online or goes offline, it appears here.
        </p>
      ) : (
        <ol className="activity__list" onScroll={onScroll}>
          {entries.slice(0, count).map((entry, index) => (
            <Entry
              key={entry.key}
              entry={entry}
              name={nameOf(entry.client)}
              position={index + 1}
              setSize={entries.length}
            />
          ))}
          <li ref={end} aria-hidden="true" />
        </ol>
      )}
    </section>
  );
}

interface EntryProps {
  entry: ActivityEntry;
  name: string;
  position: number;
  setSize: number;
}

const Entry = memo(function Entry({ entry, name, position, setSize }: EntryProps) {
  const ago = useTicking((nowMs) => relativeTime(entry.atMs, nowMs));

  return (
    <li
      className="activity__entry"
      data-testid="activity-entry"
      data-client={entry.client}
      data-status={entry.status}
      data-missed={entry.missed}
      aria-posinset={position}
      aria-setsize={setSize}
    >
      <Avatar client={entry.client} name={name} size="s" status={entry.status} />
      <span className="activity__text">
        <span>
          <strong>{name}</strong> {entry.status === "ONLINE" ? "came online" : "went offline"}
        </span>
        <span className="activity__when">
          <time dateTime={new Date(entry.atMs).toISOString()}>{clockTimeWithSeconds(entry.atMs)}</time> · {ago}
          {entry.missed && " · while you were disconnected"}
        </span>
      </span>
    </li>
  );
});
