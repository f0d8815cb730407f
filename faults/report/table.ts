import type { Measurement } from "./measurement.ts";

const BEGIN = "<!-- measurements: written by npm run faults -- --write -->";
const END = "<!-- end of the measurements -->";
const HEADER = ["fault", "expected", "measured"];

/** A Markdown table with aligned columns, sorted by fault. */
export function formatMeasurements(measurements: readonly Measurement[]): string {
  const rows = [...measurements]
    .sort((left, right) => left.fault.localeCompare(right.fault, "en"))
    .map(({ fault, expected, measured }) => [fault, expected, measured]);
  const widths = HEADER.map((_, column) => Math.max(...[HEADER, ...rows].map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [HEADER, widths.map((width) => "-".repeat(width)), ...rows].map(line).join("\n");
}

/**
 * Replaces what stands between the two marker comments of a page.
 *
 * @throws if a marker is missing
 */
export function replaceMeasurements(page: string, measurements: string): string {
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`The page lacks the markers: ${BEGIN} … ${END}`);
  return `${page.slice(0, begin)}${BEGIN}\n\n${measurements}\n\n${page.slice(end)}`;
}
