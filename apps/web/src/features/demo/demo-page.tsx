import type { ClientId, Profile } from "@presence/protocol";
import { type ReactNode, type RefObject, useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { ConnectionWord } from "../../lib/live/link-view.ts";
import { BrandMark } from "../../ui/brand-mark.tsx";
import { DemoFrame, type FrameState } from "./demo-frame.tsx";
import { EMPTY_LOG, type Press, type PressKind, withPress, withSightings } from "./demo-log.ts";
import { DemoStory } from "./demo-story.tsx";
import { DemoTimeline } from "./demo-timeline.tsx";
import { type FrameCommand, type FrameMessage, parseFrameMessage } from "./frame-protocol.ts";
import { useOwnConnections } from "./use-own-connections.ts";
import "./demo-page.css";

interface DemoPageProps {
  /** The three to show. */
  cast: readonly Profile[];
  /** Stands in the header. */
  actions: ReactNode;
}

const FRESH: FrameState = { isOpen: true, isCut: false, state: "connecting" };

/** Three clients side by side, each a real one, and what each sees of the others. */
export function DemoPage({ cast, actions }: DemoPageProps) {
  const isOwner = useOwnConnections();
  const [log, setLog] = useState(EMPTY_LOG);
  const [frames, setFrames] = useState<ReadonlyMap<ClientId, FrameState>>(
    () => new Map(cast.map(({ id }) => [id, FRESH])),
  );
  const iframes = useRef(new Map<ClientId, HTMLIFrameElement>());
  const ids = useMemo(() => cast.map(({ id }) => id), [cast]);
  const nameOf = useCallback(
    (client: ClientId) => firstName(cast.find(({ id }) => id === client)?.name ?? client),
    [cast],
  );

  const change = useCallback((client: ClientId, patch: Partial<FrameState>) => {
    setFrames((all) => new Map(all).set(client, { ...(all.get(client) ?? FRESH), ...patch }));
  }, []);

  useFrameMessages(iframes.current, (message) => {
    if (message.kind === "connection") change(message.client, { state: message.state });
    else setLog((current) => withSightings(current, message.client, message.sightings, ids));
  });

  function command(client: ClientId, order: FrameCommand): void {
    iframes.current.get(client)?.contentWindow?.postMessage({ command: order }, location.origin);
  }

  const deeds: Record<PressKind, (client: ClientId) => void> = {
    close: (client) => change(client, { isOpen: false, isCut: false, state: "offline" }),
    open: (client) => change(client, FRESH),
    reload: (client) => {
      change(client, FRESH);
      iframes.current.get(client)?.contentWindow?.location.reload();
    },
    cut: (client) => {
      change(client, { isCut: true });
      command(client, "cut-network");
    },
    restore: (client) => {
      change(client, { isCut: false });
      command(client, "restore-network");
    },
    "sign-out": (client) => command(client, "sign-out"),
    "sign-in": (client) => command(client, "sign-in"),
  };

  function press(kind: PressKind, client: ClientId): void {
    const entry: Press = { kind, client, atMs: Date.now() };
    setLog((current) => withPress(current, entry));
    deeds[kind](client);
  }

  const strip = useRef<HTMLDivElement>(null);

  return (
    <main className="demo" aria-label="Demo">
      <header className="demo__header">
        <a className="demo__home" href="/" title="To the start">
          <BrandMark />
          <span className="visually-hidden">To the start</span>
        </a>
        <h1 className="demo__title">Three clients, live</h1>
        {actions}
      </header>
      {isOwner === false && <SharedNotice />}
      <DemoTabs strip={strip} cast={cast} nameOf={nameOf} />
      <div className="demo__frames" ref={strip}>
        {isOwner !== undefined &&
          cast.map((profile) => (
            <DemoFrame
              key={`${profile.id} ${isOwner}`}
              profile={profile}
              name={nameOf(profile.id)}
              frame={frames.get(profile.id) ?? FRESH}
              connection={isOwner ? "own" : "shared"}
              onFrame={(element) => {
                if (element === null) iframes.current.delete(profile.id);
                else iframes.current.set(profile.id, element);
              }}
              onPress={(kind) => press(kind, profile.id)}
            />
          ))}
      </div>
      <DemoStory log={log} nameOf={nameOf} />
      <DemoTimeline cast={cast} log={log} nameOf={nameOf} states={statesOf(frames)} />
    </main>
  );
}

interface DemoTabsProps {
  strip: RefObject<HTMLDivElement | null>;
  cast: readonly Profile[];
  nameOf(client: ClientId): string;
}

/** Where the frames don't fit side by side: which one is in view, and the way to the others. */
function DemoTabs({ strip, cast, nameOf }: DemoTabsProps) {
  const [shown, setShown] = useState(0);

  useEffect(() => {
    const element = strip.current;
    if (element === null) return;
    const note = () => setShown(Math.round((element.scrollLeft / element.scrollWidth) * cast.length));
    element.addEventListener("scroll", note, { passive: true });
    return () => element.removeEventListener("scroll", note);
  }, [strip, cast]);

  return (
    <nav className="demo__tabs" aria-label="Clients">
      {cast.map(({ id }, index) => (
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
      Another tab of this browser shows this page, and a browser has connections enough for one. Here the three share a
      connection with your other tabs, so a network can’t be cut, and whoever is open elsewhere too stays online when
      closed here. Close the other page and this one takes over.
    </p>
  );
}

/** Hands over what the frames say, and nothing that comes from elsewhere. */
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

function statesOf(frames: ReadonlyMap<ClientId, FrameState>): ReadonlyMap<ClientId, ConnectionWord> {
  return new Map([...frames].map(([client, { state }]) => [client, state]));
}

function firstName(name: string): string {
  return name.split(" ")[0] ?? name;
}
