import type { ClientId, Profile } from "@presence/protocol";
import { defaultRangeExtractor, type Range, useVirtualizer } from "@tanstack/react-virtual";
import {
  type KeyboardEvent,
  type RefObject,
  useCallback,
  useEffect,
  useMemo,
  useRef,
  useState,
  useSyncExternalStore,
} from "react";
import type { ShownStatus } from "../../lib/presence/shown-status.ts";
import type { Section } from "./contact-layout.ts";
import { ContactRow } from "./contact-row.tsx";
import { contactByKey, positionRows } from "./row-positions.ts";
import { useMoveAnimation } from "./use-move-animation.ts";
import "./contact-list.css";

interface ContactListProps {
  scroller: RefObject<HTMLDivElement | null>;
  sections: Section[];
  /** The current number of contacts per section. `sections` may be older while sorting is paused. */
  counts: Record<ShownStatus, number>;
  isStale: boolean;
  /** Changes with the search and the filter. Rows of another list don't animate from their old positions. */
  listKey: string;
  onOpen(profile: Profile): void;
}

const HEADING_REM = 2.75;
const ROW_REM = 4;
const OVERSCAN = 8;

/** Shown in an empty online section. */
const NOTE = { now: "Nobody is online.", stale: "Nobody was online." };

const HEADINGS: Record<ShownStatus, { now: string; stale: string }> = {
  ONLINE: { now: "Online", stale: "Were online" },
  OFFLINE: { now: "Offline", stale: "Were offline" },
  UNKNOWN: { now: "Unknown", stale: "Unknown" },
};

/** The contacts in sections. The list is virtual: only rows near the visible part are in the document. */
export function ContactList({ scroller, sections, counts, isStale, listKey, onOpen }: ContactListProps) {
  const remPx = useRemPx();
  const headingHeight = HEADING_REM * remPx;
  const rowHeight = ROW_REM * remPx;
  const positions = useMemo(
    () => positionRows(sections, headingHeight, rowHeight),
    [sections, headingHeight, rowHeight],
  );
  const [tabStop, setTabStop] = useState<ClientId>();
  const tabStopIndex = tabStop === undefined ? undefined : positions.indexOf.get(tabStop);

  const virtualizer = useVirtualizer({
    count: positions.lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => (positions.lines[index]?.kind === "heading" ? headingHeight : rowHeight),
    getItemKey: useCallback((index: number) => positions.lines[index]?.key ?? index, [positions]),
    // The focused row stays in the document, so that scrolling doesn't lose the focus.
    rangeExtractor: useCallback(
      (range: Range) => withIndex(defaultRangeExtractor(range), tabStopIndex),
      [tabStopIndex],
    ),
    overscan: OVERSCAN,
    scrollPaddingStart: headingHeight,
    useFlushSync: false,
  });

  useMoveAnimation(scroller, positions, listKey);
  const focus = useFocusRow(scroller);
  const visible = virtualizer.getVirtualItems();

  function moveFocus(event: KeyboardEvent, from: ClientId): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const pageSize = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / rowHeight) - 1);
    const client = contactByKey(positions, from, event.key, pageSize);
    const index = client === undefined ? undefined : positions.indexOf.get(client);
    if (client === undefined || index === undefined) return;
    event.preventDefault();
    setTabStop(client);
    // Show the heading above the first row.
    if (index === 1) virtualizer.scrollToOffset(0);
    else virtualizer.scrollToIndex(index);
    focus(client);
  }

  const latestMoveFocus = useRef(moveFocus);
  latestMoveFocus.current = moveFocus;
  // A stable function, so that it doesn't render the memoized rows again.
  const onMove = useCallback((event: KeyboardEvent, from: ClientId) => latestMoveFocus.current(event, from), []);

  const [firstClient] = positions.indexOf.keys();
  const stopAt = tabStopIndex === undefined ? firstClient : tabStop;

  return (
    <div className="contact-list" style={{ height: positions.height }}>
      {sections.map((section, number) => {
        const box = positions.sections[number];
        if (box === undefined) return null;
        const wording = isStale ? "stale" : "now";
        const headingId = `contacts-${section.status.toLowerCase()}`;
        return (
          <div key={section.status} className="contact-list__section" style={{ top: box.top, height: box.height }}>
            <h2
              id={headingId}
              className="contact-list__heading"
              style={{ height: headingHeight }}
              data-line
              data-index={box.headingIndex}
            >
              {HEADINGS[section.status][wording]} <span className="contact-list__count">{counts[section.status]}</span>
            </h2>
            {counts[section.status] === 0 && <p className="contact-list__note">{NOTE[wording]}</p>}
            <ul aria-labelledby={headingId}>
              {visible.map(({ index }) => {
                const line = positions.lines[index];
                if (line?.kind !== "row" || line.section !== number) return null;
                const place = index - box.headingIndex - 1;
                const profile = section.entries[place]?.profile;
                if (profile === undefined) return null;
                return (
                  <ContactRow
                    key={line.client}
                    profile={profile}
                    index={index}
                    top={line.top - box.top}
                    position={place + 1}
                    setSize={section.entries.length}
                    isStale={isStale}
                    isTabStop={line.client === stopAt}
                    onOpen={onOpen}
                    onFocus={setTabStop}
                    onMove={onMove}
                  />
                );
              })}
            </ul>
          </div>
        );
      })}
    </div>
  );
}

/** Returns a function that focuses a contact's row, after the next render if the row isn't in the document yet. */
function useFocusRow(scroller: RefObject<HTMLDivElement | null>): (client: ClientId) => void {
  const pending = useRef<ClientId>(undefined);

  useEffect(() => {
    if (pending.current === undefined) return;
    const target = rowButton(scroller.current, pending.current);
    if (target === null) return;
    pending.current = undefined;
    target.focus({ preventScroll: true });
  });

  return useCallback(
    (client) => {
      const target = rowButton(scroller.current, client);
      if (target === null) pending.current = client;
      else target.focus({ preventScroll: true });
    },
    [scroller],
  );
}

/** The size of a `rem` in pixels, which depends on the browser's settings. */
function useRemPx(): number {
  return useSyncExternalStore(onResize, () => Number.parseFloat(getComputedStyle(document.documentElement).fontSize));
}

function onResize(listener: () => void): () => void {
  window.addEventListener("resize", listener);
  return () => window.removeEventListener("resize", listener);
}

/** The focusable button of a contact's row; `null` if the row isn't in the document. */
export function rowButton(container: HTMLElement | null, client: ClientId): HTMLButtonElement | null {
  return container?.querySelector<HTMLButtonElement>(`[data-client="${CSS.escape(client)}"] button`) ?? null;
}

function withIndex(indexes: number[], index: number | undefined): number[] {
  if (index === undefined || indexes.includes(index)) return indexes;
  return [...indexes, index].sort((a, b) => a - b);
}
