import type { ClientId, Profile } from "@presence/protocol";
import { type ReactNode, type RefObject, useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { ConnectionStatus } from "../../lib/live/link-view.ts";
import { BrandMark } from "../../ui/brand-mark.tsx";
import { DemoFrame, type FrameState } from "./demo-frame.tsx";
import { type Action, type ActionKind, EMPTY_LOG, withAction, withChanges } from "./demo-log.ts";
import { DemoSummary } from "./demo-summary.tsx";
import { DemoTimeline } from "./demo-timeline.tsx";
import { type FrameCommand, type FrameMessage, parseFrameMessage } from "./frame-protocol.ts";
import { useOwnConnections } from "./use-own-connections.ts";
import "./demo-page.css";

interface DemoPageProps {
  /** The three clients to show. */
  profiles: readonly Profile[];
  /** Shown in the header. */
  actions: ReactNode;
}

const FRESH: FrameState = { isOpen: true, isCut: false, state: "connecting" };

/** Three real clients side by side, and a timeline of what each sees of the others. */
export function DemoPage({ profiles, actions }: DemoPageProps) {
  const hasOwnConnections = useOwnConnections();
  const [log, setLog] = useState(EMPTY_LOG);
  const [frames, setFrames] = useState<ReadonlyMap<ClientId, FrameState>>(
    () => new Map(profiles.map(({ id }) => [id, FRESH])),
  );
  const iframes = useRef(new Map<ClientId, HTMLIFrameElement>());
  const ids = useMemo(() => profiles.map(({ id }) => id), [profiles]);
  const nameOf = useCallback(
    (client: ClientId) => firstName(profiles.find(({ id }) => id === client)?.name ?? client),
    [profiles],
  );

  const updateFrame = useCallback((client: ClientId, patch: Partial<FrameState>) => {
    setFrames((all) => new Map(all).set(client, { ...(all.get(client) ?? FRESH), ...patch }));
  }, []);

  useFrameMessages(iframes.current, (message) => {
    if (message.kind === "connection") updateFrame(message.client, { state: message.state });
    else setLog((current) => withChanges(current, message.client, message.changes, ids));
  });

  function command(client: ClientId, name: FrameCommand): void {
    iframes.current.get(client)?.contentWindow?.postMessage({ command: name }, location.origin);
  }

  const handlers: Record<ActionKind, (client: ClientId) => void> = {
    close: (client) => updateFrame(client, { isOpen: false, isCut: false, state: "offline" }),
    open: (client) => updateFrame(client, FRESH),
    reload: (client) => {
      updateFrame(client, FRESH);
      iframes.current.get(client)?.contentWindow?.location.reload();
    },
    cut: (client) => {
      updateFrame(client, { isCut: true });
      command(client, "cut-network");
    },
    restore: (client) => {
      updateFrame(client, { isCut: false });
      command(client, "restore-network");
    },
    "sign-out": (client) => command(client, "sign-out"),
    "sign-in": (client) => command(client, "sign-in"),
  };

  function runAction(kind: ActionKind, client: ClientId): void {
    const entry: Action = { kind, client, atMs: Date.now() };
    setLog((current) => withAction(current, entry));
    handlers[kind](client);
  }

  const strip = useRef<HTMLDivElement>(null);

  return (
    <main className="demo" aria-label="Demo">
      <header className="demo__header">
        <a className="demo__home" href="/" title="Start page">
          <BrandMark />
          <span className="visually-hidden">Start page</span>
        </a>
        <h1 className="demo__title">Three clients, live</h1>
        {actions}
      </header>
      {hasOwnConnections === false && <SharedNotice />}
      <DemoTabs strip={strip} profiles={profiles} nameOf={nameOf} />
      <div className="demo__frames" ref={strip}>
        {hasOwnConnections !== undefined &&
          profiles.map((profile) => (
            <DemoFrame
              key={`${profile.id} ${hasOwnConnections}`}
              profile={profile}
              name={nameOf(profile.id)}
              frame={frames.get(profile.id) ?? FRESH}
              connection={hasOwnConnections ? "own" : "shared"}
              onFrame={(element) => {
                if (element === null) iframes.current.delete(profile.id);
                else iframes.current.set(profile.id, element);
              }}
              onAction={(kind) => runAction(kind, profile.id)}
            />
          ))}
      </div>
      <DemoSummary log={log} nameOf={nameOf} />
      <DemoTimeline profiles={profiles} log={log} nameOf={nameOf} states={statesOf(frames)} />
    </main>
  );
}

interface DemoTabsProps {
  strip: RefObject<HTMLDivElement | null>;
  profiles: readonly Profile[];
  nameOf(client: ClientId): string;
}

/** Shows which frame is visible and scrolls to the others, where the frames don't fit side by side. */
function DemoTabs({ strip, profiles, nameOf }: DemoTabsProps) {
  const [shown, setShown] = useState(0);

  useEffect(() => {
    const element = strip.current;
    if (element === null) return;
    const updateShown = () => setShown(Math.round((element.scrollLeft / element.scrollWidth) * profiles.length));
    element.addEventListener("scroll", updateShown, { passive: true });
    return () => element.removeEventListener("scroll", updateShown);
  }, [strip, profiles]);

  return (
    <nav className="demo__tabs" aria-label="Clients">
      {profiles.map(({ id }, index) => (
        <button
          key={id}
          className="button"
          type="button"
          aria-current={index === shown}
          onClick={() => strip.current?.children[index]?.scrollIntoView({ inline: "center", block: "nearest" })}
        >
          {nameOf(id)}
        </button>
      ))}
    </nav>
  );
}

function SharedNotice() {
  return (
    <p className="demo__shared">
      The demo is open in another tab too. A browser has enough connections for only one of them. In this tab, the three
      clients share one connection with your other tabs. So you can’t cut a network here, and a client that is open in
      another tab stays online when you close it here. To use all functions here, close the other demo.
    </p>
  );
}

/** Passes on the messages of the frames. Messages from other windows are ignored. */
function useFrameMessages(
  iframes: ReadonlyMap<ClientId, HTMLIFrameElement>,
  onMessage: (message: FrameMessage) => void,
): void {
  const latest = useRef(onMessage);
  latest.current = onMessage;

  useEffect(() => {
    function receive(event: MessageEvent): void {
      const message = event.origin === location.origin ? parseFrameMessage(event.data) : undefined;
      if (message === undefined || iframes.get(message.client)?.contentWindow !== event.source) return;
      latest.current(message);
    }
    window.addEventListener("message", receive);
    return () => window.removeEventListener("message", receive);
  }, [iframes]);
}

function statesOf(frames: ReadonlyMap<ClientId, FrameState>): ReadonlyMap<ClientId, ConnectionStatus> {
  return new Map([...frames].map(([client, { state }]) => [client, state]));
}

function firstName(name: string): string {
  return name.split(" ")[0] ?? name;
}
