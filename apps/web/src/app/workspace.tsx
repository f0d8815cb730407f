import type { Profile } from "@presence/protocol";
import { type ReactNode, useEffect, useMemo, useState } from "react";
import { useStore } from "zustand";
import { ActivityPanel } from "../features/activity/activity-panel.tsx";
import { Announcer } from "../features/activity/announcer.tsx";
import { ConnectionAnnouncer } from "../features/connection/connection-announcer.tsx";
import { FullNotice } from "../features/connection/full-notice.tsx";
import { NotLoadedNotice } from "../features/connection/not-loaded-notice.tsx";
import { StaleBanner } from "../features/connection/stale-banner.tsx";
import { ContactsPanel } from "../features/contacts/contacts-panel.tsx";
import { useContacts } from "../features/contacts/contacts-query.ts";
import { useFrameBridge } from "../features/demo/use-frame-bridge.ts";
import { usePeople } from "../features/sign-in/people-query.ts";
import { connectionStore } from "../lib/live/connection-store.ts";
import type { LinkView } from "../lib/live/link-view.ts";
import type { Credential } from "../lib/live/tab-protocol.ts";
import { presenceStore } from "../lib/presence/presence-store.ts";
import { SegmentedControl } from "../ui/segmented-control.tsx";
import { Header } from "./header.tsx";
import type { FrameConnection } from "./route.ts";
import { sessionNotice } from "./session-notice.tsx";
import { useLiveSession } from "./use-live-session.ts";
import { useNames } from "./use-names.ts";
import "./workspace.css";

/** The panels, one of which is shown where only one column fits. */
const TABS = [
  { value: "contacts", label: "Contacts" },
  { value: "activity", label: "Activity" },
] as const;

type Tab = (typeof TABS)[number]["value"];

interface WorkspaceProps {
  credential: Credential;
  frame: FrameConnection | undefined;
  /** Signs in with another token. Returns an error message if the token is invalid. */
  onToken(token: string): string | undefined;
  /** Deletes this tab's token. */
  onDeleteToken(): void;
}

/** The app of a signed-in client. */
export function Workspace({ credential, frame, onToken, onDeleteToken }: WorkspaceProps) {
  const { client } = credential;
  const isFrame = frame !== undefined;
  const live = useLiveSession(credential, frame === "own");
  const view = useStore(connectionStore, (state) => state.view);
  const isStale = useStore(connectionStore, (state) => state.isStale);
  const token = useStore(connectionStore, (state) => state.token);
  const hasSnapshot = useStore(presenceStore, (state) => state.statuses !== undefined);
  const contacts = useContacts(client, token);
  const people = usePeople();
  const demoPeople = people.data?.mode === "demo" ? people.data.people : undefined;
  const me = contacts.data?.me ?? demoPeople?.find(({ id }) => id === client) ?? { id: client, name: client };
  const nameOf = useNames(contacts.data?.contacts);
  const sinceMs = useMemo(() => Date.now(), []);
  const [tab, setTab] = useState<Tab>("contacts");

  useDocumentTitle(me);
  useFrameBridge(isFrame, client, live);
  const isDemo = credential.kind === "demo";
  const notice = sessionNotice({
    view,
    me,
    needsToken: people.data === undefined ? !isDemo : people.data.mode === "issuer",
    hasToken: !isDemo,
    onToken,
    onSignIn: live.signIn,
    onDeleteToken: isFrame ? undefined : onDeleteToken,
  });

  return (
    <div className="workspace" data-client={client} data-frame={isFrame} data-tab={tab}>
      <Header
        me={me}
        roster={demoPeople?.map(({ id }) => id)}
        isCompact={isFrame}
        onRetry={live.retry}
        onSignOut={() => {
          live.signOut();
          onDeleteToken();
        }}
      />
      {!isFrame && (
        <nav className="workspace__tabs" aria-label="View">
          <SegmentedControl legend="View" choices={TABS} value={tab} onChange={setTab} />
        </nav>
      )}
      <main className="workspace__main" aria-label={me.name}>
        <ContactsPanel
          client={client}
          label={`Contacts of ${me.name}`}
          banner={isStale && <StaleBanner onRetry={live.retry} />}
          instead={notice ?? (hasSnapshot ? undefined : waitingNotice(view, live.retry))}
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

/** Shown in place of the contacts before the first snapshot, if the page can't connect. */
function waitingNotice(view: LinkView, onRetry: () => void): ReactNode {
  switch (view.kind) {
    case "full":
      return <FullNotice onRetry={onRetry} />;
    case "not-loaded":
      return <NotLoadedNotice onRetry={onRetry} />;
    default:
      return undefined;
  }
}

function useDocumentTitle(me: Profile): void {
  const [firstName] = me.name.split(" ");
  useEffect(() => {
    document.title = `${firstName} · Presence`;
  }, [firstName]);
}
