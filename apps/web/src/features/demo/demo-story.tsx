import type { ClientId } from "@presence/protocol";
import { useMemo } from "react";
import { StatusBadge } from "../../ui/status-badge.tsx";
import { useTicking } from "../../ui/use-ticking.ts";
import { type DemoLog, latestStory } from "./demo-log.ts";
import { tell } from "./story-words.ts";
import "./demo-story.css";

interface DemoStoryProps {
  log: DemoLog;
  nameOf(client: ClientId): string;
}

/** The latest thing that happened, large enough for the last row. */
export function DemoStory({ log, nameOf }: DemoStoryProps) {
  // A log change is told at once; that a reload came to nothing is known by the passing of time.
  const second = useTicking((nowMs) => Math.floor(nowMs / 1000));
  const story = useMemo(() => latestStory(log, Math.max(Date.now(), second * 1000)), [log, second]);
  const words = story === undefined ? undefined : tell(story, nameOf);

  return (
    <div
      className="demo-story"
      role="status"
      data-status={story?.kind === "change" ? story.happening.status : undefined}
    >
      <p className="demo-story__headline">
        {story?.kind === "change" && <StatusBadge status={story.happening.status} />}
        {words?.headline ?? "Close, reload, cut off or sign out one of them"}
      </p>
      <p className="demo-story__detail">{words?.detail ?? "Then see who notices, and after how long."}</p>
    </div>
  );
}
