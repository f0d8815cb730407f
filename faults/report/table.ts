import type { Figure } from "./figure.ts";

const BEGIN = "<!-- figures: written by npm run faults -- --write -->";
const END = "<!-- end of the figures -->";

/** The figures as a Markdown table that reads well in a terminal too, in the order of their faults. */
export function formatFigures(figures: readonly Figure[]): string {
  const rows = [...figures]
    .sort((left, right) => left.fault.localeCompare(right.fault, "en"))
    .map(({ fault, holds, measured }) => [fault, holds, measured]);
  const all = [["fault", "what must hold", "measured"], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const [header = [], ...body] = all;
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [line(header), rule, ...body.map(line)].join("\n");
}

/**
 * @param page with the two comments that figures stand between
 * @returns the page with these figures instead of those it had
 * @throws where a comment is missing
 */
export function replaceFigures(page: string, figures: string): string {
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`The page has no place for figures: ${BEGIN} … ${END}`);
  return `${page.slice(0, begin)}${BEGIN}\n\n${figures}\n\n${page.slice(end)}`;
}
