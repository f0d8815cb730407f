import type { ClientId } from "@presence/protocol";
import type { Section } from "./contact-layout.ts";

/** One line of the list: a section's heading, a contact's row, or the note of an empty section. */
export type Line =
  | { kind: "heading" | "note"; key: string; section: number; top: number }
  | { kind: "row"; key: string; section: number; top: number; client: ClientId };

export interface Positions {
  lines: Line[];
  /** The index in `lines` of each contact's row. */
  indexOf: ReadonlyMap<ClientId, number>;
  /** Position and height of each section, in pixels, and the index of its heading in `lines`. */
  sections: { top: number; height: number; headingIndex: number }[];
  height: number;
}

/** Computes the position of every line, in pixels from the top of the list. */
export function positionRows(sections: readonly Section[], headingHeight: number, rowHeight: number): Positions {
  const lines: Line[] = [];
  const indexOf = new Map<ClientId, number>();
  const boxes: Positions["sections"] = [];
  let top = 0;
  for (const [number, section] of sections.entries()) {
    const start = top;
    const headingIndex = lines.length;
    lines.push({ kind: "heading", key: `heading ${section.status}`, section: number, top });
    top += headingHeight;
    for (const { profile } of section.entries) {
      indexOf.set(profile.id, lines.length);
      lines.push({ kind: "row", key: profile.id, section: number, top, client: profile.id });
      top += rowHeight;
    }
    if (section.entries.length === 0) {
      lines.push({ kind: "note", key: `note ${section.status}`, section: number, top });
      top += rowHeight;
    }
    boxes.push({ top: start, height: top - start, headingIndex });
  }
  return { lines, indexOf, sections: boxes, height: top };
}

/** The top of another layout's `line` in this layout; `undefined` if it isn't in this layout. */
export function topIn({ lines, indexOf, sections }: Positions, line: Line): number | undefined {
  if (line.kind === "row") return lines[indexOf.get(line.client) ?? -1]?.top;
  return sections.find(({ headingIndex }) => lines[headingIndex]?.key === line.key)?.top;
}

/** The contact to which `key` moves the focus from `current`; `undefined` for other keys and in an empty list. */
export function contactByKey(
  positions: Positions,
  current: ClientId | undefined,
  key: string,
  pageSize: number,
): ClientId | undefined {
  const clients = [...positions.indexOf.keys()];
  const index = current === undefined ? -1 : clients.indexOf(current);
  const last = clients.length - 1;
  switch (key) {
    case "ArrowDown":
      return clients[Math.min(last, index + 1)];
    case "ArrowUp":
      return clients[Math.max(0, index - 1)];
    case "PageDown":
      return clients[Math.min(last, index + pageSize)];
    case "PageUp":
      return clients[Math.max(0, index - pageSize)];
    case "Home":
      return clients[0];
    case "End":
      return clients[last];
    default:
      return undefined;
  }
}
