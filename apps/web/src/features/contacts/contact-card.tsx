import type { Profile } from "@presence/protocol";
import { useEffect, useRef } from "react";
import { useStore } from "zustand";
import { connectionStore } from "../../lib/live/connection-store.ts";
import { type ContactPresence, presenceStore } from "../../lib/presence/presence-store.ts";
import { shownStatus, statusLabel } from "../../lib/presence/shown-status.ts";
import { dayAndTime, localTime, placeOf } from "../../lib/time/local-time.ts";
import { Avatar } from "../../ui/avatar.tsx";
import { Icon } from "../../ui/icon.tsx";
import { useTicking } from "../../ui/use-ticking.ts";
import "./contact-card.css";

interface ContactCardProps {
  profile: Profile;
  /** Whether to offer a link that signs in as this contact, in demo mode. */
  canImpersonate: boolean;
  onClose(): void;
}

/** A dialog with a contact's details. */
export function ContactCard({ profile, canImpersonate, onClose }: ContactCardProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const presence = useStore(presenceStore, (state) => state.statuses?.get(profile.id));
  const isStale = useStore(connectionStore, (state) => state.isStale);
  const status = shownStatus(presence, isStale);
  const since = useTicking((nowMs) => sinceText(presence, nowMs));
  const { timeZone } = profile;
  const time = useTicking((nowMs) => (timeZone === undefined ? undefined : localTime(timeZone, nowMs)));

  useEffect(() => dialog.current?.showModal(), []);

  return (
    <dialog ref={dialog} className="contact-card" aria-labelledby="contact-card-name" closedby="any" onClose={onClose}>
      <button className="contact-card__close" type="button" onClick={() => dialog.current?.close()}>
        <Icon name="close" />
        <span className="visually-hidden">Close</span>
      </button>
      <Avatar client={profile.id} name={profile.name} status={status} size="l" />
      <h2 id="contact-card-name" className="contact-card__name">
        {profile.name}
      </h2>
      <p className="contact-card__role">{profile.guest === true ? "Guest" : (profile.role ?? "")}</p>
      <dl className="facts contact-card__facts">
        <div>
          <dt>Status</dt>
          <dd>{statusLabel(status)}</dd>
        </div>
        {since !== undefined && !isStale && (
          <div>
            <dt>Since</dt>
            <dd>{since}</dd>
          </div>
        )}
        {timeZone !== undefined && time !== undefined && (
          <div>
            <dt>Local time</dt>
            <dd>
              {time} in {placeOf(timeZone)}
            </dd>
          </div>
        )}
        <div>
          <dt>Id</dt>
          <dd>{profile.id}</dd>
        </div>
      </dl>
      {canImpersonate && (
        <a className="button" href={`/?as=${profile.id}`} target="_blank" rel="noopener">
          Open as {profile.name.split(" ")[0]} <Icon name="open" />
        </a>
      )}
    </dialog>
  );
}

function sinceText(presence: ContactPresence | undefined, nowMs: number): string | undefined {
  return presence === undefined || presence.sinceMs === 0 ? undefined : dayAndTime(presence.sinceMs, nowMs);
}
