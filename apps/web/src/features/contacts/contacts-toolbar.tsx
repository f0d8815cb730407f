import { type KeyboardEvent, useEffect, useRef } from "react";
import type { ShownStatus } from "../../lib/presence/shown-status.ts";
import { Icon } from "../../ui/icon.tsx";
import { SegmentedControl } from "../../ui/segmented-control.tsx";
import type { Filter } from "./contact-layout.ts";
import "./contacts-toolbar.css";

interface ContactsToolbarProps {
  search: string;
  onSearch(search: string): void;
  filter: Filter;
  onFilter(filter: Filter): void;
  total: number;
  counts: Record<ShownStatus, number>;
  /** Whether the statuses are out of date. Then no counts are shown. */
  isStale: boolean;
  /** Moves the focus to the list. */
  onLeaveToList(): void;
}

/** Search and status filter of the contact list. */
export function ContactsToolbar(props: ContactsToolbarProps) {
  const { search, onSearch, filter, onFilter, total, counts, isStale, onLeaveToList } = props;
  const input = useRef<HTMLInputElement>(null);
  useSlashKey(input);

  function onKeyDown(event: KeyboardEvent): void {
    if (event.key === "Escape" && search !== "") {
      event.preventDefault();
      onSearch("");
    } else if (event.key === "Escape") input.current?.blur();
    else if (event.key === "ArrowDown") {
      event.preventDefault();
      onLeaveToList();
    }
  }

  return (
    <search className="contacts-toolbar">
      <div className="search">
        <Icon name="search" />
        <input
          ref={input}
          className="search__input"
          type="search"
          value={search}
          onChange={(event) => onSearch(event.target.value)}
          onKeyDown={onKeyDown}
          placeholder="Search"
          aria-label="Search contacts"
          aria-keyshortcuts="/"
          autoComplete="off"
          spellCheck={false}
        />
        {search === "" ? (
          <span className="search__key" aria-hidden="true">
            /
          </span>
        ) : (
          <button className="search__clear" type="button" onClick={() => onSearch("")}>
            <Icon name="close" />
            <span className="visually-hidden">Clear search</span>
          </button>
        )}
      </div>
      <SegmentedControl
        legend="Show"
        choices={[
          { value: "all", label: <FilterLabel label="All" count={total} /> },
          { value: "online", label: <FilterLabel label="Online" count={isStale ? undefined : counts.ONLINE} /> },
          { value: "offline", label: <FilterLabel label="Offline" count={isStale ? undefined : counts.OFFLINE} /> },
        ]}
        value={filter}
        onChange={onFilter}
      />
    </search>
  );
}

function FilterLabel({ label, count }: { label: string; count: number | undefined }) {
  return (
    <>
      {label} <span className="filter__count">{count ?? "–"}</span>
    </>
  );
}

/** The key `/` focuses the search, unless a text field has the focus. */
function useSlashKey(input: React.RefObject<HTMLInputElement | null>): void {
  useEffect(() => {
    function onKeyDown(event: globalThis.KeyboardEvent): void {
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.target instanceof Element && event.target.matches("input:not([type='radio']), textarea")) return;
      event.preventDefault();
      input.current?.focus();
    }
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, [input]);
}
