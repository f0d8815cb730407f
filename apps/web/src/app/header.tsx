import type { ClientId, Profile } from "@presence/protocol";
import { useStore } from "zustand";
import { ConnectionPill } from "../features/connection/connection-pill.tsx";
import { ThemeSwitch } from "../features/theme/theme-switch.tsx";
import { connectionStore } from "../lib/live/connection-store.ts";
import type { LinkView } from "../lib/live/link-view.ts";
import { nextPerson } from "../lib/people/next-person.ts";
import { type ShownStatus, statusLabel } from "../lib/presence/shown-status.ts";
import { Avatar } from "../ui/avatar.tsx";
import { Icon } from "../ui/icon.tsx";
import "./header.css";

interface HeaderProps {
  me: Profile;
  /** The ids of the demo's people; `undefined` outside demo mode. */
  roster: readonly ClientId[] | undefined;
  isCompact: boolean;
  onRetry(): void;
  onSignOut(): void;
}

/** The user's name and status, the connection, and the page's actions. */
export function Header({ me, roster, isCompact, onRetry, onSignOut }: HeaderProps) {
  const kind = useStore(connectionStore, (state) => state.view.kind);
  const status = ownStatus(kind);
  // A document has one banner landmark. In a frame, the demo page has it.
  const Banner = isCompact ? "div" : "header";

  return (
    <Banner className="header">
      <div className="header__me">
        <Avatar client={me.id} name={me.name} status={status} />
        <div className="header__who">
          <h1 className="header__name">
            {me.name}
            <span className="visually-hidden">, {statusLabel(status)}</span>
          </h1>
          <p className="header__role">{me.role ?? (me.guest === true ? "Guest" : `@${me.id}`)}</p>
        </div>
      </div>
      <ConnectionPill onRetry={onRetry} />
      {!isCompact && (
        <>
          <div className="header__actions">
            {roster !== undefined && <OpenAnother me={me.id} roster={roster} />}
            <ThemeSwitch />
            {kind !== "signed-out" && (
              <button className="button button--icon" type="button" onClick={onSignOut} title="Sign out">
                <Icon name="sign-out" />
                <span className="visually-hidden">Sign out</span>
              </button>
            )}
          </div>
          <button className="button button--icon header__more" type="button" popoverTarget="header-menu" title="More">
            <Icon name="more" />
            <span className="visually-hidden">More</span>
          </button>
          <div id="header-menu" popover="auto" className="popover header__menu">
            {roster !== undefined && <OpenAnother me={me.id} roster={roster} />}
            <ThemeSwitch />
            {kind !== "signed-out" && (
              <button className="button" type="button" onClick={onSignOut}>
                <Icon name="sign-out" /> Sign out
              </button>
            )}
          </div>
        </>
      )}
    </Banner>
  );
}

function OpenAnother({ me, roster }: { me: ClientId; roster: readonly ClientId[] }) {
  const inUse = useStore(connectionStore, (state) => state.inUse);
  const next = nextPerson(roster, me, inUse);

  return (
    <a className="button" href={`/?as=${next}`} target="_blank" rel="noopener" title={`Open ${next} in a new tab`}>
      <Icon name="open" /> Open another client
    </a>
  );
}

/** The status that others see of this user. Without a live connection it is unknown, except after signing out. */
function ownStatus(kind: LinkView["kind"]): ShownStatus {
  if (kind === "live") return "ONLINE";
  return kind === "signed-out" ? "OFFLINE" : "UNKNOWN";
}
