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
import { useHold } from "./use-hold.ts";
import "./contacts-panel.css";

interface ContactsPanelProps {
  client: ClientId;
  /** Whose list it is, for assistive technology. */
  label: string;
  /** Shown above the list: what there is to say about the connection. */
  banner: ReactNode;
  /** Shown in place of the list: why there is none. */
  instead: ReactNode;
  /** Without search and filter, where space is short. */
  isCompact: boolean;
  /** Offers to become a contact, where anyone may be anyone. */
  canImpersonate: boolean;
}

interface Picture {
  entries: Entry[];
  statuses: Statuses;
}

const NOBODY: Profile[] = [];

/** The contact list and what belongs to it. */
export function ContactsPanel({ client, label, banner, instead, isCompact, canImpersonate }: ContactsPanelProps) {
  const token = useStore(connectionStore, (state) => state.token);
  const isStale = useStore(connectionStore, (state) => state.isStale);
  const isConnecting = useStore(connectionStore, (state) => state.view.kind === "connecting");
  const statuses = useStore(presenceStore, (state) => state.statuses);
  const contacts = useContacts(client, token);
  const profiles = contacts.data?.contacts ?? NOBODY;
  const entries = useMemo(() => prepareEntries(profiles), [profiles]);
  const [search, setSearch] = useState("");
  const [filter, setFilter] = useState<Filter>("all");
  const [opened, setOpened] = useState<Profile>();
  const scroller = useRef<HTMLDivElement>(null);
  const isTouched = useHold(scroller);
  const isHeld = isTouched || opened !== undefined;

  const now = useMemo<Picture>(() => ({ entries, statuses }), [entries, statuses]);
  const shown = useHeld(now, isHeld && contacts.data !== undefined && statuses !== undefined);
  const sections = useMemo(
    () => layoutContacts(shown.entries, shown.statuses, { search, filter }),
    [shown, search, filter],
  );
  const counts = useMemo(() => countStatuses(now.entries, now.statuses), [now]);
  const moves = useMemo(() => (shown === now ? 0 : countMoves(shown, now)), [shown, now]);
  const isLoading = contacts.data === undefined || (statuses === undefined && isConnecting);

  // The browser returns the focus by itself, unless the row has meanwhile been drawn anew.
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
            occasion={`${filter} ${search}`}
            onOpen={setOpened}
          />
        </ContactsBody>
      </div>
      {instead}
      <p className="visually-hidden" role="status">
        {search.trim() !== "" && foundText(sections.reduce((sum, section) => sum + section.entries.length, 0))}
      </p>
      {isHeld && moves > 0 && (
        <p className="contacts__held">Order held while you’re here. {moves === 1 ? "One" : moves} would move.</p>
      )}
      {opened !== undefined && <ContactCard profile={opened} canImpersonate={canImpersonate} onClose={close} />}
    </section>
  );
}

function foundText(count: number): string {
  if (count === 0) return "No one found";
  return count === 1 ? "One contact found" : `${count} contacts found`;
}

/** `now`, or while `isHeld` what it was when the holding began. */
function useHeld(now: Picture, isHeld: boolean): Picture {
  const [held, setHeld] = useState<Picture>();
  const wasHeld = held !== undefined;
  useEffect(() => {
    if (isHeld !== wasHeld) setHeld(isHeld ? now : undefined);
  }, [isHeld, wasHeld, now]);
  return held ?? now;
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
        <p>The server didn’t answer as it should. Your own presence isn’t affected.</p>
      </Notice>
    );
  }
  if (isLoading) return <ContactsSkeleton />;
  if (isEmpty) {
    return (
      <Notice title="No contacts yet">
        <p>You’re online. People appear here once they’re on your contact list.</p>
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
