/** Formats a Markdown table that is readable in a terminal too: names to the left, figures to the right. */
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${widths.map((width, column) => align(cells[column] ?? "", width, column)).join(" | ")} |`;
  const rule = widths.map((width, column) => (column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`));
  return [line(header), line(rule), ...rows.map(line)].join("\n");
}

function align(text: string, width: number, column: number): string {
  return column === 0 ? text.padEnd(width) : text.padStart(width);
}

/** `12,345` from 100 on, otherwise three significant digits; `–` for what is not finite. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString("en");
  return String(Number(value.toPrecision(3)));
}

export function formatWithUnit(value: number, unit = ""): string {
  return Number.isFinite(value) ? `${formatNumber(value)} ${unit}`.trim() : formatNumber(value);
}

/** How many times `reference` fits into `value`: `2.5 ×`. */
export function formatRatio(value: number, reference: number): string {
  return formatWithUnit(value / reference, "×");
}

/** @param share from 0 to 1 */
export function formatShare(share: number): string {
  return formatWithUnit(100 * share, "%");
}

/** `1,000 – 2,000` */
export function formatSpread(values: readonly number[]): string {
  return `${formatNumber(Math.min(...values))} – ${formatNumber(Math.max(...values))}`;
}
