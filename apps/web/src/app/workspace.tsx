import type { Profile } from "@presence/protocol";
import { useEffect, useMemo, useState } from "react";
import { useStore } from "zustand";
import { ActivityPanel } from "../features/activity/activity-panel.tsx";
import { Announcer } from "../features/activity/announcer.tsx";
import { ConnectionAnnouncer } from "../features/connection/connection-announcer.tsx";
import { FullNotice } from "../features/connection/full-notice.tsx";
import { StaleBanner } from "../features/connection/stale-banner.tsx";
import { ContactsPanel } from "../features/contacts/contacts-panel.tsx";
import { useContacts } from "../features/contacts/contacts-query.ts";
import { useFrameBridge } from "../features/demo/use-frame-bridge.ts";
import { usePeople } from "../features/sign-in/people-query.ts";
import { connectionStore } from "../lib/live/connection-store.ts";
import type { Credential } from "../lib/live/tab-protocol.ts";
import { presenceStore } from "../lib/presence/presence-store.ts";
import { Header } from "./header.tsx";
import { nobodyNotice } from "./nobody-notice.tsx";
import type { FrameConnection } from "./route.ts";
import { useLiveSession } from "./use-live-session.ts";
import { useNames } from "./use-names.ts";
import "./workspace.css";

interface WorkspaceProps {
  credential: Credential;
  frame: FrameConnection | undefined;
  /** Takes another token, or says why not. */
  onToken(token: string): string | undefined;
  /** Ends an issuer's session in this tab. */
  onForget(): void;
}

/** The app, once one is somebody. */
export function Workspace({ credential, frame, onToken, onForget }: WorkspaceProps) {
  const { client } = credential;
  const isFrame = frame !== undefined;
  const live = useLiveSession(credential, frame === "own");
  const view = useStore(connectionStore, (state) => state.view);
  const isStale = useStore(connectionStore, (state) => state.isStale);
  const token = useStore(connectionStore, (state) => state.token);
  const hasPicture = useStore(presenceStore, (state) => state.statuses !== undefined);
  const contacts = useContacts(client, token);
  const people = usePeople();
  const demoPeople = people.data?.mode === "demo" ? people.data.people : undefined;
  const me = contacts.data?.me ?? demoPeople?.find(({ id }) => id === client) ?? { id: client, name: client };
  const nameOf = useNames(contacts.data?.contacts);
  const sinceMs = useMemo(() => Date.now(), []);
  const [tab, setTab] = useState<"contacts" | "activity">("contacts");

  useDocumentTitle(me);
  useFrameBridge(isFrame, client, live);
  const isDemo = credential.kind === "demo";
  const nobody = nobodyNotice({
    view,
    me,
    wantsToken: people.data === undefined ? !isDemo : people.data.mode === "issuer",
    hasToken: !isDemo,
    onToken,
    onSignIn: live.signIn,
    onForget: isFrame ? undefined : onForget,
  });
  const isKeptOut = view.kind === "full" && !hasPicture;

  return (
    <div className="workspace" data-client={client} data-frame={isFrame} data-tab={tab}>
      <Header
        me={me}
        roster={demoPeople?.map(({ id }) => id)}
        isCompact={isFrame}
        onRetry={live.retry}
        onSignOut={() => {
          live.signOut();
          onForget();
        }}
      />
      {!isFrame && <TabSwitch tab={tab} onTab={setTab} />}
      <main className="workspace__main" aria-label={me.name}>
        <ContactsPanel
          client={client}
          label={`Contacts of ${me.name}`}
          banner={isStale && <StaleBanner onRetry={live.retry} />}
          instead={isKeptOut ? <FullNotice onRetry={live.retry} /> : nobody}
          isCompact={isFrame}
          canImpersonate={demoPeople !== undefined && !isFrame}
        />
        {!isFrame && <ActivityPanel nameOf={nameOf} sinceMs={sinceMs} />}
      </main>
      <Announcer nameOf={nameOf} />
      <ConnectionAnnouncer />
    </div>
  );
}

function useDocumentTitle(me: Profile): void {
  const [firstName] = me.name.split(" ");
  useEffect(() => {
    document.title = `${firstName} · Presence`;
  }, [firstName]);
}

interface TabSwitchProps {
  tab: "contacts" | "activity";
  onTab(tab: "contacts" | "activity"): void;
}

/** Where there is room for one column only. */
function TabSwitch({ tab, onTab }: TabSwitchProps) {
  return (
    <nav className="workspace__tabs" aria-label="View">
      <fieldset className="filter">
        <legend className="visually-hidden">View</legend>
        {(["contacts", "activity"] as const).map((choice) => (
          <label key={choice} className="filter__choice">
            <input
              className="visually-hidden"
              type="radio"
              name="tab"
              checked={tab === choice}
              onChange={() => onTab(choice)}
            />
            {choice === "contacts" ? "Contacts" : "Activity"}
          </label>
        ))}
      </fieldset>
    </nav>
  );
}
