import type { ClientId, Profile, Status } from "@presence/protocol";
import { type KeyboardEvent, memo, type ReactElement, useState } from "react";
import { useStore } from "zustand";
import { type Known, presenceStore } from "../../lib/presence/presence-store.ts";
import { shownStatus, statusWord } from "../../lib/presence/shown-status.ts";
import { localTime, placeOf } from "../../lib/time/local-time.ts";
import { relativeTime } from "../../lib/time/relative-time.ts";
import { Avatar } from "../../ui/avatar.tsx";
import { useTicking } from "../../ui/use-ticking.ts";
import "./contact-row.css";

interface ContactRowProps {
  profile: Profile;
  /** Where in the list of lines it stands, and where in pixels from the top of its section. */
  index: number;
  top: number;
  position: number;
  setSize: number;
  isStale: boolean;
  isTabStop: boolean;
  onOpen(profile: Profile): void;
  onFocus(client: ClientId): void;
  onMove(event: KeyboardEvent, from: ClientId): void;
}

/** How long a row that has just changed stays highlighted, ms; the same as in `contact-row.css`. */
const GLOW_MS = 2600;

/** One contact: who, whether here, and what time it is where they are. */
export const ContactRow = memo(function ContactRow(props: ContactRowProps) {
  const { profile, index, top, position, setSize, isStale, isTabStop, onOpen, onFocus, onMove } = props;
  const known = useStore(presenceStore, (state) => state.statuses?.get(profile.id));
  const status = shownStatus(known, isStale);
  const glow = glowOf(known, isStale);

  return (
    <li
      className="contact-row"
      style={{ transform: `translateY(${top}px)` }}
      data-line
      data-index={index}
      data-testid="contact"
      data-client={profile.id}
      data-status={status}
      data-glows={glow !== undefined}
      aria-posinset={position}
      aria-setsize={setSize}
    >
      {glow}
      <Face
        profile={profile}
        known={known}
        isStale={isStale}
        isTabStop={isTabStop}
        onOpen={onOpen}
        onFocus={onFocus}
        onMove={onMove}
      />
    </li>
  );
});

type FaceProps = Pick<ContactRowProps, "profile" | "isStale" | "isTabStop" | "onOpen" | "onFocus" | "onMove"> & {
  known: Known | undefined;
};

/** What stays the same when only the row's place changes. */
const Face = memo(function Face({ profile, known, isStale, isTabStop, onOpen, onFocus, onMove }: FaceProps) {
  return (
    <button
      type="button"
      className="contact-row__target"
      tabIndex={isTabStop ? 0 : -1}
      onClick={() => onOpen(profile)}
      onFocus={() => onFocus(profile.id)}
      onKeyDown={(event) => onMove(event, profile.id)}
    >
      <Avatar client={profile.id} name={profile.name} status={shownStatus(known, isStale)} />
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
          <StatusText known={known} isStale={isStale} />
        </span>
      </span>
    </button>
  );
});

function glowOf(known: Known | undefined, isStale: boolean): ReactElement | undefined {
  const changedAtMs = known?.changedAtMs;
  if (changedAtMs === undefined || isStale) return undefined;
  const ageMs = Date.now() - changedAtMs;
  return ageMs > GLOW_MS ? undefined : <Glow key={changedAtMs} status={known?.status} ageMs={ageMs} />;
}

/** @param props.ageMs how old the change is */
function Glow({ status, ageMs }: { status: Status | undefined; ageMs: number }) {
  // A row that scrolls into view half-way through its glow goes on from there. Once it glows it does so by itself.
  const [beginsAtMs] = useState(() => Math.max(0, ageMs));
  return <span className="contact-row__glow" data-status={status} style={{ animationDelay: `${-beginsAtMs}ms` }} />;
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

function StatusText({ known, isStale }: { known: Known | undefined; isStale: boolean }) {
  const text = useTicking((nowMs) => statusText(known, isStale, nowMs));
  return (
    <>
      <span className="visually-hidden">, {statusWord(shownStatus(known, isStale))}. </span>
      <span aria-hidden={text === statusWord(shownStatus(known, isStale))}>{text}</span>
    </>
  );
}

function statusText(known: Known | undefined, isStale: boolean, nowMs: number): string {
  if (known === undefined) return "Unknown";
  if (isStale) return "Unknown";
  if (known.status === "ONLINE") return "Online";
  return known.sinceMs === 0 ? "Not seen yet" : `Last seen ${relativeTime(known.sinceMs, nowMs)}`;
}
