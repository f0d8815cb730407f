import type { ClientId } from "@presence/protocol";
import { useEffect } from "react";
import { connectionStore } from "../../lib/live/connection-store.ts";
import { connectionWord } from "../../lib/live/link-view.ts";
import { type PresenceState, presenceStore } from "../../lib/presence/presence-store.ts";
import { type FrameCommand, type FrameMessage, type FrameSighting, parseFrameCommand } from "./frame-protocol.ts";

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

/** In a frame of the demo page: tells the page what this client sees, and does what the page's buttons say. */
export function useFrameBridge(isFrame: boolean, client: ClientId, commands: Commands): void {
  useEffect(() => {
    if (!isFrame || window.parent === window) return;

    function tell(message: FrameMessage): void {
      window.parent.postMessage(message, location.origin);
    }

    function tellConnection(): void {
      tell({ kind: "connection", client, state: connectionWord(connectionStore.getState().view) });
    }

    function obey(event: MessageEvent): void {
      if (event.source !== window.parent || event.origin !== location.origin) return;
      const command = parseFrameCommand(event.data);
      if (command !== undefined) commands[METHODS[command]]();
    }

    window.addEventListener("message", obey);
    const stops = [
      () => window.removeEventListener("message", obey),
      connectionStore.subscribe((state, previous) => {
        if (state.view.kind !== previous.view.kind) tellConnection();
      }),
      presenceStore.subscribe((state, previous) => {
        const sightings = newSightings(state, previous);
        if (sightings.length > 0) tell({ kind: "sightings", client, sightings });
      }),
    ];
    tellConnection();
    return () => {
      for (const stop of stops) stop();
    };
  }, [isFrame, client, commands]);
}

function newSightings(state: PresenceState, previous: PresenceState): FrameSighting[] {
  return [...(state.statuses ?? [])].flatMap(([subject, { status, sinceMs, changedAtMs }]) => {
    const before = previous.statuses?.get(subject);
    if (before?.sinceMs === sinceMs && before.status === status) return [];
    return [{ subject, status, sinceMs, seenAtMs: changedAtMs }];
  });
}
