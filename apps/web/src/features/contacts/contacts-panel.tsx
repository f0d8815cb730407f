import type { ClientId, Profile } from "@presence/protocol";
import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { useStore } from "zustand";
import { connectionStore } from "../../lib/live/connection-store.ts";
import { presenceStore } from "../../lib/presence/presence-store.ts";
import { Notice } from "../../ui/notice.tsx";
import { ContactCard } from "./contact-card.tsx";
import {
  countMoves,
  countStatuses,
  type Entry,
  type Filter,
  layoutContacts,
  prepareEntries,
  type Statuses,
} from "./contact-layout.ts";
import { ContactList, rowButton } from "./contact-list.tsx";
import { useContacts } from "./contacts-query.ts";
import { ContactsSkeleton } from "./contacts-skeleton.tsx";
import { ContactsToolbar } from "./contacts-toolbar.tsx";
import { useInteraction } from "./use-interaction.ts";
import "./contacts-panel.css";

interface ContactsPanelProps {
  client: ClientId;
  /** The accessible name of the panel. */
  label: string;
  /** Shown above the list. */
  banner: ReactNode;
  /** Shown instead of the list. */
  instead: ReactNode;
  /** Hides search and filter. */
  isCompact: boolean;
  /** Offers to sign in as a contact, in demo mode. */
  canImpersonate: boolean;
}

interface ListState {
  entries: Entry[];
  statuses: Statuses;
}

const NO_PROFILES: Profile[] = [];

/** The contact list with its search and filter. */
export function ContactsPanel({ client, label, banner, instead, isCompact, canImpersonate }: ContactsPanelProps) {
  const token = useStore(connectionStore, (state) => state.token);
  const isStale = useStore(connectionStore, (state) => state.isStale);
  const isConnecting = useStore(connectionStore, (state) => state.view.kind === "connecting");
  const statuses = useStore(presenceStore, (state) => state.statuses);
  const contacts = useContacts(client, token);
  const profiles = contacts.data?.contacts ?? NO_PROFILES;
  const entries = useMemo(() => prepareEntries(profiles), [profiles]);
  const [search, setSearch] = useState("");
  const [filter, setFilter] = useState<Filter>("all");
  const [opened, setOpened] = useState<Profile>();
  const scroller = useRef<HTMLDivElement>(null);
  const isInteracting = useInteraction(scroller);
  const isPaused = isInteracting || opened !== undefined;

  const now = useMemo<ListState>(() => ({ entries, statuses }), [entries, statuses]);
  const shown = usePaused(now, isPaused && contacts.data !== undefined && statuses !== undefined);
  const sections = useMemo(
    () => layoutContacts(shown.entries, shown.statuses, { search, filter }),
    [shown, search, filter],
  );
  const counts = useMemo(() => countStatuses(now.entries, now.statuses), [now]);
  const moves = useMemo(() => (shown === now ? 0 : countMoves(shown, now)), [shown, now]);
  const isLoading = contacts.data === undefined || (statuses === undefined && isConnecting);

  // The browser restores the focus, unless the row was mounted again meanwhile.
  function close(): void {
    setOpened(undefined);
    if (opened !== undefined) rowButton(scroller.current, opened.id)?.focus({ preventScroll: true });
  }

  return (
    <section className="contacts" aria-label={label} data-stale={isStale}>
      {!isCompact && instead === undefined && (
        <ContactsToolbar
          search={search}
          onSearch={setSearch}
          filter={filter}
          onFilter={setFilter}
          total={entries.length}
          counts={counts}
          isStale={isStale}
          onLeaveToList={() => scroller.current?.querySelector<HTMLElement>("button[tabindex='0']")?.focus()}
        />
      )}
      {instead === undefined && banner}
      <div className="contacts__scroller" ref={scroller} hidden={instead !== undefined}>
        <ContactsBody
          isLoading={isLoading}
          isFailed={contacts.isError && contacts.data === undefined}
          onRetry={() => void contacts.refetch()}
          isEmpty={entries.length === 0}
          isUnmatched={sections.length === 0}
          search={search}
          filter={filter}
          onReset={() => {
            setSearch("");
            setFilter("all");
          }}
        >
          <ContactList
            scroller={scroller}
            sections={sections}
            counts={
              search === ""
                ? counts
                : countStatuses(
                    sections.flatMap((section) => section.entries),
                    statuses,
                  )
            }
            isStale={isStale}
            listKey={`${filter} ${search}`}
            onOpen={setOpened}
          />
        </ContactsBody>
      </div>
      {instead}
      <p className="visually-hidden" role="status">
        {search.trim() !== "" && foundText(sections.reduce((sum, section) => sum + section.entries.length, 0))}
      </p>
      {isPaused && moves > 0 && (
        <p className="contacts__paused">
          Sorting is paused while you use the list. {moves === 1 ? "1 contact" : `${moves} contacts`} will move.
        </p>
      )}
      {opened !== undefined && <ContactCard profile={opened} canImpersonate={canImpersonate} onClose={close} />}
    </section>
  );
}

function foundText(count: number): string {
  if (count === 0) return "No contacts found";
  return count === 1 ? "1 contact found" : `${count} contacts found`;
}

/** Returns `now`, or while `isPaused` the value from when the pause began. */
function usePaused(now: ListState, isPaused: boolean): ListState {
  const [paused, setPaused] = useState<ListState>();
  const wasPaused = paused !== undefined;
  useEffect(() => {
    if (isPaused !== wasPaused) setPaused(isPaused ? now : undefined);
  }, [isPaused, wasPaused, now]);
  return paused ?? now;
}

interface ContactsBodyProps {
  isLoading: boolean;
  isFailed: boolean;
  onRetry(): void;
  isEmpty: boolean;
  isUnmatched: boolean;
  search: string;
  filter: Filter;
  onReset(): void;
  children: ReactNode;
}

function ContactsBody(props: ContactsBodyProps) {
  const { isLoading, isFailed, isEmpty, isUnmatched, search, filter, onRetry, onReset, children } = props;
  if (isFailed) {
    return (
      <Notice
        title="Your contacts didn’t load"
        actions={
          <button className="button button--primary" type="button" onClick={onRetry}>
            Try again
          </button>
        }
      >
        <p>The server didn’t answer or reported an error. Your own presence isn’t affected.</p>
      </Notice>
    );
  }
  if (isLoading) return <ContactsSkeleton />;
  if (isEmpty) {
    return (
      <Notice title="No contacts yet">
        <p>You’re online. People appear here when they are on your contact list.</p>
      </Notice>
    );
  }
  if (isUnmatched) {
    return (
      <Notice
        title={search.trim() === "" ? `Nobody is ${filter}` : `No one matches “${search.trim()}”`}
        actions={
          <button className="button" type="button" onClick={onReset}>
            Show everyone
          </button>
        }
      />
    );
  }
  return children;
}
