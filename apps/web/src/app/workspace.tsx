import type { ClientId, Profile } from "@presence/protocol";
import { type ReactNode, useEffect, useMemo, useState } from "react";
import { useStore } from "zustand";
import { ActivityPanel } from "../features/activity/activity-panel.tsx";
import { Announcer } from "../features/activity/announcer.tsx";
import { StaleBanner } from "../features/connection/stale-banner.tsx";
import { ContactsPanel } from "../features/contacts/contacts-panel.tsx";
import { useContacts } from "../features/contacts/contacts-query.ts";
import { useFrameBridge } from "../features/demo/use-frame-bridge.ts";
import { usePeople } from "../features/sign-in/people-query.ts";
import { TokenForm } from "../features/sign-in/token-form.tsx";
import { connectionStore } from "../lib/live/connection-store.ts";
import type { LinkView } from "../lib/live/link-view.ts";
import type { Credential } from "../lib/live/tab-protocol.ts";
import { Avatar } from "../ui/avatar.tsx";
import { Notice } from "../ui/notice.tsx";
import { Header } from "./header.tsx";
import type { FrameConnection } from "./route.ts";
import { type LiveCommands, useLiveSession } from "./use-live-session.ts";
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
  const contacts = useContacts(client, token);
  const people = usePeople();
  const demoPeople = people.data?.mode === "demo" ? people.data.people : undefined;
  const me = contacts.data?.me ?? demoPeople?.find(({ id }) => id === client) ?? { id: client, name: client };
  const nameOf = useNames(contacts.data?.contacts);
  const sinceMs = useMemo(() => Date.now(), []);
  const [tab, setTab] = useState<"contacts" | "activity">("contacts");

  useDocumentTitle(me);
  useFrameBridge(isFrame, client, live);
  const instead = insteadOfContacts({
    view,
    me,
    live,
    isDemo: credential.kind === "demo",
    people: people.data,
    onToken,
    onForget,
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
          onForget();
        }}
      />
      {!isFrame && <TabSwitch tab={tab} onTab={setTab} />}
      <main className="workspace__main" aria-label={me.name}>
        <ContactsPanel
          client={client}
          label={`Contacts of ${me.name}`}
          banner={isStale && <StaleBanner onRetry={live.retry} />}
          instead={instead}
          isCompact={isFrame}
          canImpersonate={demoPeople !== undefined && !isFrame}
        />
        {!isFrame && <ActivityPanel nameOf={nameOf} sinceMs={sinceMs} />}
      </main>
      <Announcer nameOf={nameOf} />
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

interface InsteadOptions {
  view: LinkView;
  me: { id: ClientId; name: string };
  live: LiveCommands;
  isDemo: boolean;
  people: { mode: "demo" | "issuer" } | undefined;
  onToken(token: string): string | undefined;
  onForget(): void;
}

/** What stands in place of the contacts when there's no being somebody at the moment. */
function insteadOfContacts({ view, me, live, isDemo, people, onToken, onForget }: InsteadOptions): ReactNode {
  const wantsToken = people === undefined ? !isDemo : people.mode === "issuer";
  switch (view.kind) {
    case "signed-out":
      return (
        <Notice
          figure={<Avatar client={me.id} name={me.name} status="OFFLINE" size="l" />}
          title="You’re signed out"
          actions={
            wantsToken ? (
              <TokenForm problem={undefined} onToken={onToken} />
            ) : (
              <SignInAgain live={live} onForget={onForget} />
            )
          }
        >
          <p>Others see you offline.</p>
        </Notice>
      );
    case "refused":
      return wantsToken ? (
        <Notice
          title={isDemo ? "This server wants a token" : view.problem.title}
          actions={<TokenForm problem={undefined} onToken={onToken} />}
        >
          <p>{isDemo ? "Open the link that you were given, or paste your token." : view.problem.detail}</p>
        </Notice>
      ) : (
        <Notice title={view.problem.title} actions={<SignInAgain live={live} onForget={onForget} />}>
          <p>{view.problem.detail}</p>
        </Notice>
      );
    default:
      return undefined;
  }
}

function SignInAgain({ live, onForget }: { live: LiveCommands; onForget(): void }) {
  return (
    <>
      <button className="button button--primary" type="button" onClick={live.signIn}>
        Sign in again
      </button>
      <a className="button" href="/" onClick={onForget}>
        Be someone else
      </a>
    </>
  );
}
