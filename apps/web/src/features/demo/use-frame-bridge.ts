import type { ClientId } from "@presence/protocol";
import { useEffect } from "react";
import { connectionStore } from "../../lib/live/connection-store.ts";
import { connectionStatus } from "../../lib/live/link-view.ts";
import { type PresenceState, presenceStore } from "../../lib/presence/presence-store.ts";
import { type FrameChange, type FrameCommand, type FrameMessage, parseFrameCommand } from "./frame-protocol.ts";

interface Commands {
  cutNetwork(): void;
  restoreNetwork(): void;
  signOut(): void;
  signIn(): void;
}

const METHODS: Record<FrameCommand, keyof Commands> = {
  "cut-network": "cutNetwork",
  "restore-network": "restoreNetwork",
  "sign-out": "signOut",
  "sign-in": "signIn",
};

/** Inside a frame of the demo page: sends this client's state to the page, and runs the commands of the page's buttons. */
export function useFrameBridge(isFrame: boolean, client: ClientId, commands: Commands): void {
  useEffect(() => {
    if (!isFrame || window.parent === window) return;

    function send(message: FrameMessage): void {
      window.parent.postMessage(message, location.origin);
    }

    function sendConnection(): void {
      send({ kind: "connection", client, state: connectionStatus(connectionStore.getState().view) });
    }

    function runCommand(event: MessageEvent): void {
      if (event.source !== window.parent || event.origin !== location.origin) return;
      const command = parseFrameCommand(event.data);
      if (command !== undefined) commands[METHODS[command]]();
    }

    window.addEventListener("message", runCommand);
    const stops = [
      () => window.removeEventListener("message", runCommand),
      connectionStore.subscribe((state, previous) => {
        if (state.view.kind !== previous.view.kind) sendConnection();
      }),
      presenceStore.subscribe((state, previous) => {
        const changes = newChanges(state, previous);
        if (changes.length > 0) send({ kind: "changes", client, changes });
      }),
    ];
    sendConnection();
    return () => {
      for (const stop of stops) stop();
    };
  }, [isFrame, client, commands]);
}

function newChanges(state: PresenceState, previous: PresenceState): FrameChange[] {
  return [...(state.statuses ?? [])].flatMap(([subject, { status, sinceMs, changedAtMs }]) => {
    const before = previous.statuses?.get(subject);
    if (before?.sinceMs === sinceMs && before.status === status) return [];
    return [{ subject, status, sinceMs, seenAtMs: changedAtMs }];
  });
}
