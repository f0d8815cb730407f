import type { ClientId, Profile } from "@presence/protocol";
import { useStore } from "zustand";
import { ConnectionPill } from "../features/connection/connection-pill.tsx";
import { ThemeSwitch } from "../features/theme/theme-switch.tsx";
import { connectionStore } from "../lib/live/connection-store.ts";
import { nextPerson } from "../lib/people/next-person.ts";
import { type ShownStatus, statusWord } from "../lib/presence/shown-status.ts";
import { Avatar } from "../ui/avatar.tsx";
import { Icon } from "../ui/icon.tsx";
import "./header.css";

interface HeaderProps {
  me: Profile;
  /** Who is on the roster, in demo mode; `undefined` where one can't be just anyone. */
  roster: readonly ClientId[] | undefined;
  isCompact: boolean;
  onRetry(): void;
  onSignOut(): void;
}

/** Who I am, my connection, and what else there is to do. */
export function Header({ me, roster, isCompact, onRetry, onSignOut }: HeaderProps) {
  const kind = useStore(connectionStore, (state) => state.view.kind);
  const status = ownStatus(kind);
  // A page has one banner: in a frame it is the page's around it.
  const Banner = isCompact ? "div" : "header";

  return (
    <Banner className="header">
      <div className="header__me">
        <Avatar client={me.id} name={me.name} status={status} />
        <div className="header__who">
          <h1 className="header__name">
            {me.name}
            <span className="visually-hidden">, {statusWord(status)}</span>
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
    <a className="button" href={`/?as=${next}`} target="_blank" rel="noopener" title={`Opens ${next} in a new tab`}>
      <Icon name="open" /> Open another client
    </a>
  );
}

/** Others see me online when my connection stands; while it is being found out, I don't know. */
function ownStatus(kind: "live" | "signed-out" | string): ShownStatus {
  if (kind === "live") return "ONLINE";
  return kind === "signed-out" ? "OFFLINE" : "UNKNOWN";
}
