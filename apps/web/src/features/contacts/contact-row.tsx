import type { ClientId, Profile, Status } from "@presence/protocol";
import { type KeyboardEvent, memo, type ReactElement, useState } from "react";
import { useStore } from "zustand";
import { type ContactPresence, presenceStore } from "../../lib/presence/presence-store.ts";
import { shownStatus, statusLabel } from "../../lib/presence/shown-status.ts";
import { localTime, placeOf } from "../../lib/time/local-time.ts";
import { relativeTime } from "../../lib/time/relative-time.ts";
import { Avatar } from "../../ui/avatar.tsx";
import { useTicking } from "../../ui/use-ticking.ts";
import "./contact-row.css";

interface ContactRowProps {
  profile: Profile;
  /** The row's index in the list's lines. */
  index: number;
  /** Pixels from the top of the section. */
  top: number;
  position: number;
  setSize: number;
  isStale: boolean;
  isTabStop: boolean;
  onOpen(profile: Profile): void;
  onFocus(client: ClientId): void;
  onMove(event: KeyboardEvent, from: ClientId): void;
}

/** How long a changed row stays highlighted, in ms. `contact-row.css` has the same value. */
const HIGHLIGHT_MS = 2600;

/** One contact with its status and local time. */
export const ContactRow = memo(function ContactRow(props: ContactRowProps) {
  const { profile, index, top, position, setSize, isStale, isTabStop, onOpen, onFocus, onMove } = props;
  const presence = useStore(presenceStore, (state) => state.statuses?.get(profile.id));
  const status = shownStatus(presence, isStale);
  const highlight = highlightOf(presence, isStale);

  return (
    <li
      className="contact-row"
      style={{ transform: `translateY(${top}px)` }}
      data-line
      data-index={index}
      data-testid="contact"
      data-client={profile.id}
      data-status={status}
      data-highlighted={highlight !== undefined}
      aria-posinset={position}
      aria-setsize={setSize}
    >
      {highlight}
      <RowContent
        profile={profile}
        presence={presence}
        isStale={isStale}
        isTabStop={isTabStop}
        onOpen={onOpen}
        onFocus={onFocus}
        onMove={onMove}
      />
    </li>
  );
});

type RowContentProps = Pick<ContactRowProps, "profile" | "isStale" | "isTabStop" | "onOpen" | "onFocus" | "onMove"> & {
  presence: ContactPresence | undefined;
};

/** The row's content. It isn't rendered again when only the row's position changes. */
const RowContent = memo(function RowContent({
  profile,
  presence,
  isStale,
  isTabStop,
  onOpen,
  onFocus,
  onMove,
}: RowContentProps) {
  return (
    <button
      type="button"
      className="contact-row__target"
      tabIndex={isTabStop ? 0 : -1}
      onClick={() => onOpen(profile)}
      onFocus={() => onFocus(profile.id)}
      onKeyDown={(event) => onMove(event, profile.id)}
    >
      <Avatar client={profile.id} name={profile.name} status={shownStatus(presence, isStale)} />
      <span className="contact-row__who">
        <span className="contact-row__name">
          {profile.name}
          {profile.guest === true && <span className="contact-row__guest">Guest</span>}
        </span>
        <span className="contact-row__role">{profile.role ?? `@${profile.id}`}</span>
      </span>
      <span className="contact-row__when">
        <LocalTime timeZone={profile.timeZone} />
        <span className="contact-row__status">
          <StatusText presence={presence} isStale={isStale} />
        </span>
      </span>
    </button>
  );
});

function highlightOf(presence: ContactPresence | undefined, isStale: boolean): ReactElement | undefined {
  const changedAtMs = presence?.changedAtMs;
  if (changedAtMs === undefined || isStale) return undefined;
  const ageMs = Date.now() - changedAtMs;
  return ageMs > HIGHLIGHT_MS ? undefined : <Highlight key={changedAtMs} status={presence?.status} ageMs={ageMs} />;
}

/** @param props.ageMs how old the change is */
function Highlight({ status, ageMs }: { status: Status | undefined; ageMs: number }) {
  // A row that is mounted later continues the animation at the change's age. A render must not restart it.
  const [startMs] = useState(() => Math.max(0, ageMs));
  return <span className="contact-row__highlight" data-status={status} style={{ animationDelay: `${-startMs}ms` }} />;
}

function LocalTime({ timeZone }: { timeZone: string | undefined }) {
  const time = useTicking((nowMs) => (timeZone === undefined ? undefined : localTime(timeZone, nowMs)));
  if (timeZone === undefined || time === undefined) return null;
  return (
    <span className="contact-row__time" title={`Local time in ${placeOf(timeZone)}`}>
      <span className="visually-hidden">, local time </span>
      {time}
    </span>
  );
}

function StatusText({ presence, isStale }: { presence: ContactPresence | undefined; isStale: boolean }) {
  const text = useTicking((nowMs) => statusText(presence, isStale, nowMs));
  return (
    <>
      <span className="visually-hidden">, {statusLabel(shownStatus(presence, isStale))}. </span>
      <span aria-hidden={text === statusLabel(shownStatus(presence, isStale))}>{text}</span>
    </>
  );
}

function statusText(presence: ContactPresence | undefined, isStale: boolean, nowMs: number): string {
  if (presence === undefined || isStale) return "Unknown";
  if (presence.status === "ONLINE") return "Online";
  return presence.sinceMs === 0 ? "Not seen yet" : `Last seen ${relativeTime(presence.sinceMs, nowMs)}`;
}
