import type { ClientId } from "@presence/protocol";
import { initialsOf, tintOf } from "../lib/people/avatar.ts";
import type { ShownStatus } from "../lib/presence/shown-status.ts";
import "./avatar.css";
import { StatusBadge } from "./status-badge.tsx";

interface AvatarProps {
  client: ClientId;
  name: string;
  status?: ShownStatus | undefined;
  size?: "s" | "m" | "l";
}

/** A client's initials on its tint, with a status badge. Hidden from assistive technology: the name is shown beside it. */
export function Avatar({ client, name, status, size = "m" }: AvatarProps) {
  return (
    <span className={`avatar avatar--${size} tint-${tintOf(client)}`} aria-hidden="true">
      <span className="avatar__initials">{initialsOf(name)}</span>
      {status !== undefined && (
        <span className="avatar__badge">
          <StatusBadge status={status} />
        </span>
      )}
    </span>
  );
}
