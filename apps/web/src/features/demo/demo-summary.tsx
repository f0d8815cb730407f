import type { ClientId } from "@presence/protocol";
import { useMemo } from "react";
import { StatusBadge } from "../../ui/status-badge.tsx";
import { useTicking } from "../../ui/use-ticking.ts";
import { type DemoLog, latestSummary } from "./demo-log.ts";
import { summaryText } from "./summary-text.ts";
import "./demo-summary.css";

interface DemoSummaryProps {
  log: DemoLog;
  nameOf(client: ClientId): string;
}

/** Describes the latest change in large text. */
export function DemoSummary({ log, nameOf }: DemoSummaryProps) {
  // Computed again every second, because a reload counts as unnoticed only after some time.
  const second = useTicking((nowMs) => Math.floor(nowMs / 1000));
  const summary = useMemo(() => latestSummary(log, Math.max(Date.now(), second * 1000)), [log, second]);
  const text = summary === undefined ? undefined : summaryText(summary, nameOf);

  return (
    <div
      className="demo-summary"
      role="status"
      data-status={summary?.kind === "change" ? summary.change.status : undefined}
    >
      <p className="demo-summary__headline">
        {summary?.kind === "change" && <StatusBadge status={summary.change.status} />}
        {text?.headline ?? "Close, reload, disconnect or sign out a client"}
      </p>
      <p className="demo-summary__detail">{text?.detail ?? "Then see how fast the others notice it."}</p>
    </div>
  );
}
