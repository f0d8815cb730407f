import { type KeyboardEvent, useEffect, useRef } from "react";
import type { ShownStatus } from "../../lib/presence/shown-status.ts";
import { Icon } from "../../ui/icon.tsx";
import type { Filter } from "./contact-layout.ts";
import "./contacts-toolbar.css";

interface ContactsToolbarProps {
  search: string;
  onSearch(search: string): void;
  filter: Filter;
  onFilter(filter: Filter): void;
  total: number;
  counts: Record<ShownStatus, number>;
  /** While nothing is known for certain, numbers of who is online would be a pretence. */
  isStale: boolean;
  onLeaveToList(): void;
}

/** Search, and a filter that counts. */
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
            <span className="visually-hidden">Clear the search</span>
          </button>
        )}
      </div>
      <fieldset className="filter">
        <legend className="visually-hidden">Show</legend>
        <FilterChoice value="all" label="All" count={total} filter={filter} onFilter={onFilter} />
        <FilterChoice
          value="online"
          label="Online"
          count={isStale ? undefined : counts.ONLINE}
          filter={filter}
          onFilter={onFilter}
        />
        <FilterChoice
          value="offline"
          label="Offline"
          count={isStale ? undefined : counts.OFFLINE}
          filter={filter}
          onFilter={onFilter}
        />
      </fieldset>
    </search>
  );
}

interface FilterChoiceProps {
  value: Filter;
  label: string;
  count: number | undefined;
  filter: Filter;
  onFilter(filter: Filter): void;
}

function FilterChoice({ value, label, count, filter, onFilter }: FilterChoiceProps) {
  return (
    <label className="filter__choice">
      <input
        className="visually-hidden"
        type="radio"
        name="filter"
        checked={filter === value}
        onChange={() => onFilter(value)}
      />
      {label} <span className="filter__count">{count ?? "–"}</span>
    </label>
  );
}

/** `/` goes to the search from anywhere on the page where one isn't typing already. */
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
